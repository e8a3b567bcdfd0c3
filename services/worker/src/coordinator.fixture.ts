import { sampleTarget } from "@quorate/attestation/nouns.fixture";
import { verifyEnvelope } from "@quorate/attestation/dsse";
import { type Entry, parseEntry } from "@quorate/attestation/log-statement";
import { parseWorkerStatement } from "@quorate/attestation/worker-statement";
import { type Authority, createAuthority } from "@quorate/bus/authority";
import { connectCoordinatorBus, type CoordinatorBus } from "@quorate/bus/coordinator-bus";
import { startNatsServer } from "@quorate/bus/nats-server.fixture";
import { mintCoordinator, mintUser } from "@quorate/bus/user-credentials";
import { serve } from "@quorate/client/local-server.fixture";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { jobIdOf, type JobMessage, type LiveMessage, type ReportMessage } from "@quorate/protocol/job";
import type { OperatorId } from "@quorate/protocol/operator";
import { targetDigestOf } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { workerRequestSchema, type WorkerStatus, workerStatusSchema } from "@quorate/protocol/worker";
import { silentLogger } from "@quorate/service/logger";
import { verifyP256 } from "@quorate/signing/p256-key";
import {
  createOperatorDirectory,
  isOperatorDirectory,
  loadOperatorDirectory,
  type OperatorIdentity,
  saveJoinedNetwork,
} from "@quorate/signing/operator-directory";
import { createHash, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkerConfig } from "./config.ts";
import type { Executor } from "./executor.ts";
import { architecturesOf } from "@quorate/protocol/host-architectures";
import { startWorker, type Worker } from "./start.ts";

const round = (name: string): Sha256 => sha256Of(utf8(`round ${name}`));

/** The coordinator's part, as far as a worker sees it: a real NATS server and the few routes that it calls. */
export type TestCoordinator = AsyncDisposable & {
  readonly directory: string;
  readonly bus: CoordinatorBus;
  readonly blobs: Map<string, Uint8Array>;
  readonly live: LiveMessage[];
  /** Why workers could not go on. */
  readonly failures: unknown[];
  /** What `GET /v1/targets/…` answers, whatever is asked for. */
  target: typeof sampleTarget;
  /** Answers that are given in place of the proper ones, first come first served. */
  readonly refusals: { path: RegExp; status: number }[];
  /** Workers of one operator name share its key; each machine name is a data directory. */
  worker(executor: Executor, machine?: string, change?: Partial<WorkerConfig>): Promise<Worker>;
  /** What the worker of a machine says of itself. */
  statusOf(machine: string): WorkerStatus;
  /** Stops the NATS server and starts it again on the same port, with its store. */
  restartTransport(): Promise<void>;
  publish(worker: Worker, job?: Partial<JobMessage>): Promise<JobMessage>;
  /** The next report of this kind, its envelope checked against the operator's key. */
  report<Kind extends ReportMessage["kind"]>(kind: Kind): Promise<Extract<ReportMessage, { kind: Kind }>>;
  /** The link key that an operator enrolled with. */
  linkKey(operator: OperatorId): Uint8Array;
  entry(report: { envelope: string; operator: OperatorId }): Entry;
};

export async function startTestCoordinator(): Promise<TestCoordinator> {
  const resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "quorate-worker-"));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const authority = await createAuthority(join(directory, "authority.json"));
  let nats = await startNatsServer({ authority, directory: join(directory, "nats") });
  resources.defer(() => nats[Symbol.asyncDispose]());
  const bus = resources.use(await connectCoordinatorBus({ url: nats.url, credentials: await mintCoordinator(authority) }));
  await bus.ensureStreams();
  const reports = collectReports(bus);
  const keys = new Map<string, Uint8Array>();
  const linkKeys = new Map<string, Uint8Array>();
  const state = { blobs: new Map<string, Uint8Array>(), target: sampleTarget, refusals: [] as { path: RegExp; status: number }[] };
  const http = resources.use(
    await serve(routes({ ...state, authority, natsUrl: nats.url, bus, keys, linkKeys, targetOf: () => coordinator.target })),
  );
  const live: LiveMessage[] = [];
  const failures: unknown[] = [];
  bus.live((message) => live.push(message));
  const coordinator: TestCoordinator = {
    ...state,
    directory,
    bus,
    live,
    failures,
    report: reports,
    entry: ({ envelope, operator }) => {
      const entry = parseEntry(utf8(envelope));
      verifyEnvelope(entry.envelope, [keys.get(operator) ?? new Uint8Array()], verifyP256);
      return entry;
    },
    linkKey: (operator) => linkKeys.get(operator) ?? new Uint8Array(),
    statusOf: (machine) => workerStatusSchema.parse(JSON.parse(readFileSync(join(directory, `machine-${machine}`, "status.json"), "utf8"))),
    worker: (executor, machine = "one", change = {}) => {
      const operatorDirectory = join(directory, "ada");
      const identity = openOperator(operatorDirectory, http.url);
      keys.set(identity.signer.operator, identity.signer.identity);
      linkKeys.set(identity.signer.operator, identity.linkSigner.publicKey);
      const config = { ...configOf({ operatorDirectory, dataDirectory: join(directory, `machine-${machine}`) }), ...change };
      const fail = (error: unknown) => failures.push(error);
      return startWorker({ config, openExecutor: () => executor, logger: silentLogger, signal: AbortSignal.timeout(20_000), fail });
    },
    restartTransport: async () => {
      const port = Number(new URL(nats.url).port);
      await nats[Symbol.asyncDispose]();
      nats = await startNatsServer({ authority, directory: join(directory, "nats"), port });
    },
    publish: async ({ operator }, job = {}) => {
      const id = job.round ?? round("one");
      const target = targetDigestOf(sampleTarget);
      const commitBy = new Date(Date.now() + 3600_000).toISOString();
      const message = { job: jobIdOf(id, operator), round: id, target, baseFence: 1, uploadTicket: "ticket", commitBy, ...job };
      await bus.publishJob(operator, "all", message);
      return message;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
  return coordinator;
}

/** Each report is handed out once, in order of arrival within its kind. */
function collectReports(bus: CoordinatorBus): TestCoordinator["report"] {
  const arrived: ReportMessage[] = [];
  const arrivals = new EventTarget();
  bus.reports(async (report) => {
    arrived.push(report);
    arrivals.dispatchEvent(new Event("report"));
  });
  return async (kind) => {
    for (;;) {
      const index = arrived.findIndex((report) => report.kind === kind);
      const [found] = index < 0 ? [] : arrived.splice(index, 1);
      // The kind was compared above, which the compiler cannot follow.
      if (found) return found as Extract<ReportMessage, { kind: typeof kind }>;
      await once(arrivals, "report", { signal: AbortSignal.timeout(20_000) });
    }
  };
}

const networkKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });

/** Ada has joined this network. */
function openOperator(directory: string, url: string): OperatorIdentity {
  const profile = { name: "Ada's rebuilder", groups: {}, architectures: architecturesOf(process.arch) };
  const identity = isOperatorDirectory(directory) ? loadOperatorDirectory(directory) : createOperatorDirectory(directory, profile);
  saveJoinedNetwork(directory, { url, networkKey: networkKey.toString("base64") });
  return identity;
}

const configOf = (directories: Pick<WorkerConfig, "operatorDirectory" | "dataDirectory">): WorkerConfig => ({
  ...directories,
  passphraseFile: undefined,
  workerName: "worker",
  tags: [],
  once: false,
  parallel: 1,
  limits: { timeoutSeconds: 60, memoryMib: 100, diskMib: 100, processes: 100 },
});

type Routes = Pick<TestCoordinator, "blobs" | "refusals" | "bus"> & {
  authority: Authority;
  natsUrl: string;
  keys: Map<string, Uint8Array>;
  linkKeys: Map<string, Uint8Array>;
  targetOf: () => unknown;
};

function routes(context: Routes): RequestListener {
  return (request, response) => {
    void (async () => {
      const path = request.url ?? "";
      const body = await readBody(request);
      const refusal = context.refusals.findIndex((candidate) => candidate.path.test(`${request.method} ${path}`));
      const [refused] = refusal < 0 ? [] : context.refusals.splice(refusal, 1);
      const answer = refused ? { status: refused.status } : await answerOf(context, { method: request.method ?? "", path, body, request });
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end("content" in answer ? answer.content : undefined);
    })();
  };
}

type Call = { method: string; path: string; body: Uint8Array; request: IncomingMessage };

async function answerOf(
  context: Routes,
  { method, path, body, request }: Call,
): Promise<{ status: number; content?: string | Uint8Array }> {
  const [, digest = ""] = /^\/v1\/blobs\/sha256\/([0-9a-f]{64})$/.exec(path) ?? [];
  if (method === "POST" && path === "/v1/workers") return await registerWorker(context, body);
  if (method === "GET" && path.startsWith("/v1/targets/")) return { status: 200, content: JSON.stringify(context.targetOf()) };
  if (method === "PUT" && digest !== "") {
    if (request.headers.authorization !== "Bearer ticket") return { status: 401 };
    if (createHash("sha256").update(body).digest("hex") !== digest) return { status: 422 };
    context.blobs.set(digest, body);
    return { status: 201 };
  }
  const blob = context.blobs.get(digest);
  return blob ? { status: 200, content: blob } : { status: 404 };
}

async function registerWorker({ authority, natsUrl, bus, keys }: Routes, body: Uint8Array) {
  const { envelope: text } = workerRequestSchema.parse(JSON.parse(Buffer.from(body).toString()));
  const { envelope, statement } = parseWorkerStatement(utf8(text));
  const { operator, worker } = statement;
  verifyEnvelope(envelope, [keys.get(operator) ?? new Uint8Array()], verifyP256);
  if (statement.network !== sha256Of(networkKey)) return { status: 422 };
  await bus.ensureConsumer(operator);
  const expiresAt = new Date(Date.now() + 3600_000);
  const natsJwt = await mintUser({ authority, operator, userKey: worker, expiresAt });
  return { status: 200, content: JSON.stringify({ operator, natsUrls: [natsUrl], natsJwt, natsJwtExpiresAt: expiresAt.toISOString() }) };
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
