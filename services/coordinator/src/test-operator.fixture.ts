import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createUserKey } from "@quorate/bus/user-credentials";
import { connectWorkerBus, type LeasedJob, type WorkerBus } from "@quorate/bus/worker-bus";
import { setTimeout as delay } from "node:timers/promises";
import { type Api, createApi } from "@quorate/client/api";
import { ConnectionError } from "@quorate/client/http";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { ReportMessage } from "@quorate/protocol/job";
import { formatTime } from "@quorate/protocol/names";
import type { Enrolment, OperatorId } from "@quorate/protocol/operator";
import type { Result } from "@quorate/protocol/result";
import { environmentPinDigestOf, type Target } from "@quorate/protocol/target";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import type { WorkerStatement } from "@quorate/protocol/worker";
import { signStatement, signWorkerStatement } from "@quorate/signing/envelope";
import { type P256Signer, p256SignerOf } from "@quorate/signing/p256-key";

/** An operator whose worker builds nothing: it signs what a test wants it to say. */
export type TestOperator = AsyncDisposable & {
  readonly id: OperatorId;
  readonly signer: P256Signer;
  readonly bus: WorkerBus;
  /** When the transport refused its credentials. */
  readonly refusals: Date[];
  takeJob(): Promise<LeasedJob>;
  report(job: LeasedJob, report: Pick<ReportMessage, "kind"> & Record<string, unknown>): Promise<void>;
  /** The signed result of a build whose artifacts have the published digests, or those that `digestOf` gives. */
  signResult(
    job: LeasedJob,
    options?: { digestOf?: (published: Sha256) => Sha256; change?: Partial<Result>; fence?: number },
  ): Promise<Uint8Array>;
  signCommitment(job: LeasedJob, result: Uint8Array, fence?: number): Uint8Array;
  /** Resolves when the coordinator asks for the job's result. */
  untilReveal(job: LeasedJob): Promise<void>;
  /** Does all jobs from now on, as a worker does: one result for each job, however often it is delivered, revealed whenever asked for. */
  serve(): void;
  /** Commits to a job's result, and reveals it. */
  do(job: LeasedJob, options?: Parameters<TestOperator["signResult"]>[1]): Promise<void>;
  /** All of it, once: takes a job, commits, reveals. */
  work(options?: Parameters<TestOperator["signResult"]>[1]): Promise<LeasedJob>;
};

export async function enrolTestOperator(at: {
  url: string;
  invitationToken: string;
  name: string;
  change?: Partial<Enrolment>;
}): Promise<TestOperator> {
  const signer = p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
  const api = createApi({ url: at.url });
  await api.sendOperatorStatement({
    envelope: textOf(signEnrolment(signer, at.name, at.change)),
    invitation: at.invitationToken,
  });
  const userKey = createUserKey();
  const credentials = await api.registerWorker(textOf(await signRegistration(api, signer, { worker: userKey.publicKey })));
  const refusals: Date[] = [];
  const bus = await connectWorkerBus({
    events: { credentialsRefused: () => refusals.push(new Date()) },
    urls: credentials.natsUrls,
    jwt: () => credentials.natsJwt,
    userSeed: userKey.seed,
    operator: signer.operator,
  });
  const closing = new AbortController();
  const reveals = createReveals(bus);

  const operator: TestOperator = {
    id: signer.operator,
    signer,
    bus,
    refusals,
    async takeJob() {
      const job = await bus.nextJob(closing.signal);
      if (!job) throw new Error("taking a job: the test is over");
      return job;
    },
    report: ({ message, fence }, report) =>
      bus.report({ job: message.job, round: message.round, operator: signer.operator, fence, ...report } as ReportMessage, closing.signal),
    async signResult({ message, fence }, { digestOf = (published: Sha256) => published, change = {}, fence: other } = {}) {
      const target = await fetchTarget(api, message.target);
      const result = { ...resultOf(target, digestOf), round: message.round, target: message.target, operator: signer.operator };
      return signStatement({ kind: "result", result: { ...result, fence: other ?? fence, ...change } as Result }, [signer]);
    },
    signCommitment({ message, fence }, result, other = fence) {
      const commitment = { round: message.round, operator: signer.operator, fence: other, envelope: sha256Of(result) };
      return signStatement({ kind: "commitment", commitment }, [signer]);
    },
    untilReveal: ({ message }) => reveals.until(message.job),
    async do(job, options) {
      await operator.report(job, { kind: "started" });
      const result = await operator.signResult(job, options);
      await operator.report(job, { kind: "commitment", envelope: textOf(operator.signCommitment(job, result)) });
      await operator.untilReveal(job);
      await operator.report(job, { kind: "result", envelope: textOf(result) });
      await job.ack();
    },
    async work(options) {
      const job = await operator.takeJob();
      await operator.do(job, options);
      return job;
    },
    serve: () => void serveJobs(operator, reveals, closing.signal),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await bus[Symbol.asyncDispose]();
    },
  };
  return operator;
}

async function serveJobs(operator: TestOperator, reveals: ReturnType<typeof createReveals>, signal: AbortSignal): Promise<void> {
  const results = new Map<string, { job: LeasedJob; result: Uint8Array }>();
  reveals.onEach((id) => {
    const known = results.get(id);
    if (known) void operator.report(known.job, { kind: "result", envelope: textOf(known.result) });
  });
  for (;;) {
    const job = await operator.bus.nextJob(signal);
    if (!job) return;
    const result = results.get(job.message.job)?.result ?? (await operator.signResult(job));
    results.set(job.message.job, { job, result });
    await operator.report(job, { kind: "started" });
    await operator.report(job, { kind: "commitment", envelope: textOf(operator.signCommitment(job, result)) });
    await job.ack();
  }
}

export function signEnrolment(signer: P256Signer, name: string, change: Partial<Enrolment> = {}): Uint8Array {
  const enrolment: Enrolment = {
    action: "enrol",
    operator: signer.operator,
    name,
    identityKey: Buffer.from(signer.spki).toString("base64"),
    groups: {},
    architectures: ["amd64", "all"],
    ecosystems: ["debian"],
    ...change,
  };
  return signStatement({ kind: "operator", predicate: enrolment }, [signer]);
}

/** As a worker of this operator says it, to the network that `api` is of. */
export async function signRegistration(
  api: Api,
  signer: P256Signer,
  change: { worker: string } & Partial<Extract<WorkerStatement, { action: "register" }>>,
): Promise<Uint8Array> {
  const { networkKey } = await api.network();
  const statement: WorkerStatement = {
    action: "register",
    operator: signer.operator,
    network: sha256Of(Buffer.from(networkKey, "base64")),
    saidAt: formatTime(new Date()),
    name: "worker",
    capabilities: { architectures: ["amd64", "all"], cores: 1, memoryMib: 1024, diskMib: 1024, tags: [] },
    ...change,
  };
  return signWorkerStatement(statement, signer);
}

function resultOf(
  target: Target,
  digestOf: (published: Sha256) => Sha256,
): Omit<Extract<Result, { outcome: "built" }>, "round" | "target" | "operator" | "fence"> {
  const { distribution, suite, source, version, architecture } = target;
  return {
    outcome: "built",
    nonce: randomBytes(16).toString("hex"),
    distribution,
    suite,
    source,
    version,
    architecture,
    environment: environmentPinDigestOf(target.environment),
    builderVersion: { worker: "0.1.0" },
    sandboxProfile: "none",
    startedAt: "2026-11-23T08:00:00Z",
    finishedAt: "2026-11-23T08:00:07Z",
    byproducts: [],
    artifacts: target.artifacts.map(({ file, sizeBytes, sha256 }) => ({ name: file, sizeBytes, sha256: digestOf(sha256) })),
    sources: target.files.map(({ name, sha256 }) => ({ name, sha256 })),
    trace: { rootSha256: sha256Of(utf8("")), files: 0 },
  };
}

/** The coordinator may be away for a while. */
async function fetchTarget(api: Api, digest: Sha256): Promise<Target> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await api.target(digest);
    } catch (error) {
      if (!(error instanceof ConnectionError) || attempt === 1000) throw error;
      await delay(100);
    }
  }
}

function createReveals(bus: WorkerBus) {
  const asked = new Set<string>();
  const waiting = new Map<string, () => void>();
  const listeners: ((job: string) => void)[] = [];
  bus.control((message) => {
    if (message.kind !== "reveal") return;
    asked.add(message.job);
    waiting.get(message.job)?.();
    for (const listener of listeners) listener(message.job);
  });
  return {
    onEach: (listener: (job: string) => void) => void listeners.push(listener),
    async until(job: string): Promise<void> {
      if (asked.has(job)) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(job, resolve);
      await promise;
    },
  };
}
