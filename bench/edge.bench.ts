import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { CoordinatorBus } from "@quorate/bus/coordinator-bus";
import { endsWithThis } from "@quorate/bus/ends-with-this.fixture";
import { type BusNetwork, startBusNetwork } from "@quorate/bus/network.fixture";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { jobIdOf, type JobMessage } from "@quorate/protocol/job";
import type { Enrolment } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import { type P256Signer, p256SignerOf, verifyP256 } from "@quorate/signing/p256-key";
import type { Enrolled } from "@quorate/verdict/enrolled";
import { sampleTarget } from "@quorate/attestation/nouns.fixture";
import { admitCommitment } from "../services/coordinator/src/admit.ts";
import type { Figure } from "./figure.ts";

const operators = Array.from({ length: 100 }, newOperator);
type Operator = ReturnType<typeof newOperator>;
const workersOfOperator = 10;
const operatorsOfProcess = 10;
const handOuts = 10_000;
const riskyJobs = 10_000;
const riskyBuildMilliseconds = 1_000;
const kills = 20;
const killEveryMilliseconds = 1_000;
const required = { handOutsPerSecond: 500, silenceSeconds: 120 };
/** As the coordinator's steps are, what NATS did not answer in time is asked for again. */
const publishAgainMilliseconds = 1_000;
/** A lease that has ended twice, and some. */
const patienceMilliseconds = 180_000;

/**
 * A thousand workers with credentials of their own on one nats-server: how fast they connect and are handed jobs, when the job of a worker
 * that fell silent is another's, and what happens to jobs while processes of a hundred workers each are killed.
 */
export async function measure(): Promise<Figure[]> {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  for (const { id } of operators) await coordinator.ensureConsumer(id);
  const accepted = acceptReports(coordinator);
  const crowd = new Crowd(network);
  try {
    const connectedSeconds = await secondsOf(() => crowd.start());
    const handOutSeconds = await secondsOf(async () => {
      const lost = await giveOut({ coordinator, accepted, jobs: jobsNamed("quick", handOuts) });
      if (lost > 0) throw new Error(`giving out ${handOuts} jobs: ${lost} were not done`);
    });
    const chaos = await giveOutAmidKills({ coordinator, accepted, crowd });
    await crowd.stop();
    const silence = await secondsUntilTakenOver(network, coordinator);
    const count = operators.length * workersOfOperator;
    return [
      { name: "workers connected with credentials of their own", value: count / connectedSeconds, unit: "/s" },
      {
        name: `jobs handed out to ${count} workers, done and acknowledged`,
        value: handOuts / handOutSeconds,
        unit: "/s",
        ratio: handOuts / handOutSeconds / required.handOutsPerSecond,
        reference: `required ${required.handOutsPerSecond}/s`,
      },
      {
        name: "job of a silent worker taken over by another",
        value: silence,
        unit: "s",
        ratio: required.silenceSeconds / silence,
        reference: `required ${required.silenceSeconds} s`,
      },
      { name: `jobs lost of ${riskyJobs}, ${chaos.killed} workers killed`, value: chaos.lost, unit: "jobs" },
      { name: `jobs accepted twice of ${riskyJobs}, ${chaos.repeated} reported again`, value: chaos.acceptedTwice, unit: "jobs" },
    ];
  } finally {
    await crowd.stop();
  }
}

type Accepted = { times: Map<string, number>; repeated: number; changed: EventTarget };

/** Takes commitments by the coordinator's own rules, with what it has taken in memory instead of its database. */
function acceptReports(coordinator: CoordinatorBus): Accepted {
  const accepted: Accepted = { times: new Map(), repeated: 0, changed: new EventTarget() };
  const known = new Map<string, { fence: number; committedEnvelope?: Sha256 | undefined }>();
  const enrolled = new Map(operators.map(({ id, signer }) => [id, enrolledWith(signer)]));
  coordinator.reports(async (report) => {
    if (report.kind !== "commitment") return;
    const operator = enrolled.get(report.operator);
    if (!operator) throw new Error(`taking a report: operator ${report.operator} is not enrolled`);
    const job = { operator: report.operator, ...(known.get(report.job) ?? { fence: 0 }) };
    const round = { round: report.round, target: report.round, state: "building" as const };
    const admission = admitCommitment(report, { round, target: sampleTarget, job, operator, verify: verifyP256 });
    if (admission.kind !== "admit") return void (accepted.repeated += 1);
    known.set(report.job, { fence: report.fence, committedEnvelope: admission.commitment.envelope });
    accepted.times.set(report.job, (accepted.times.get(report.job) ?? 0) + 1);
    accepted.changed.dispatchEvent(new Event("accepted"));
  });
  return accepted;
}

function enrolledWith({ operator, spki }: P256Signer): Enrolled {
  const identityKey = Buffer.from(spki).toString("base64");
  const enrolment: Enrolment = {
    action: "enrol",
    operator,
    name: operator,
    identityKey,
    groups: {},
    architectures: ["all"],
    ecosystems: ["debian"],
  };
  return { enrolment, enrolledAt: 0, rotations: [] };
}

type Work = { coordinator: CoordinatorBus; accepted: Accepted; jobs: { operator: Operator; message: JobMessage }[] };

/** @returns how many were not accepted although nothing more happened for a long while */
async function giveOut({ coordinator, accepted, jobs }: Work): Promise<number> {
  for (let at = 0; at < jobs.length; at += 200) {
    await Promise.all(jobs.slice(at, at + 200).map((job) => publish(coordinator, job)));
  }
  const open = new Set(jobs.map(({ message }) => message.job));
  for (;;) {
    for (const job of open) if (accepted.times.has(job)) open.delete(job);
    if (open.size === 0) return 0;
    const more = once(accepted.changed, "accepted", { signal: AbortSignal.timeout(patienceMilliseconds) });
    if (!(await more.then(() => true).catch(() => false))) return open.size;
  }
}

async function publish(coordinator: CoordinatorBus, { operator, message }: Work["jobs"][number]): Promise<void> {
  for (const deadline = performance.now() + patienceMilliseconds; ;) {
    try {
      return await coordinator.publishJob(operator.id, "all", message);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(publishAgainMilliseconds);
    }
  }
}

async function giveOutAmidKills({ coordinator, accepted, crowd }: Omit<Work, "jobs"> & { crowd: Crowd }) {
  const jobs = jobsNamed("risky", riskyJobs, { buildMilliseconds: riskyBuildMilliseconds });
  const repeatedBefore = accepted.repeated;
  const given = giveOut({ coordinator, accepted, jobs });
  let killed = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(killEveryMilliseconds);
    killed += await crowd.killOne();
  }
  const lost = await given;
  const acceptedTwice = jobs.filter(({ message }) => (accepted.times.get(message.job) ?? 0) > 1).length;
  return { killed, lost, acceptedTwice, repeated: accepted.repeated - repeatedBefore };
}

/** One worker takes a job and says nothing more, though its connection stays; another of its operator waits. */
async function secondsUntilTakenOver(network: BusNetwork, coordinator: CoordinatorBus): Promise<number> {
  // One whose consumer has nothing left of what was killed.
  const operator = newOperator();
  await coordinator.ensureConsumer(operator.id);
  const [job] = jobsNamed("silent", 1, { of: [operator] });
  if (!job) throw new Error("there is one job");
  const silent = await startWorkers(network, [job.operator], { isSilent: true });
  await coordinator.publishJob(job.operator.id, "all", job.message);
  await silent.said("taken");
  await using other = await network.worker(job.operator.id);
  const seconds = await secondsOf(async () => {
    const taken = await other.nextJob(AbortSignal.timeout(patienceMilliseconds));
    if (taken?.message.job !== job.message.job) throw new Error("the job of the silent worker was not taken over");
    await taken.ack();
  });
  await silent.stop();
  return seconds;
}

type WorkerProcess = Awaited<ReturnType<typeof startWorkers>>;

/** Processes of a hundred workers each; one that is killed is replaced at once. */
class Crowd {
  private readonly network: BusNetwork;
  private readonly processes: WorkerProcess[] = [];

  constructor(network: BusNetwork) {
    this.network = network;
  }

  async start(): Promise<void> {
    for (let at = 0; at < operators.length / operatorsOfProcess; at += 1) {
      const process = await this.startOne(at);
      await process.said("connected");
    }
  }

  /** @returns how many workers that were */
  async killOne(): Promise<number> {
    const at = Math.floor(Math.random() * this.processes.length);
    await this.processes[at]?.stop();
    await this.startOne(at);
    return operatorsOfProcess * workersOfOperator;
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop()));
  }

  private async startOne(at: number): Promise<WorkerProcess> {
    const own = operators.slice(at * operatorsOfProcess, (at + 1) * operatorsOfProcess);
    const all = own.flatMap((operator) => Array.from({ length: workersOfOperator }, () => operator));
    const started = await startWorkers(this.network, all, { isSilent: false });
    this.processes[at] = started;
    return started;
  }
}

async function startWorkers(network: BusNetwork, all: readonly Operator[], { isSilent }: { isSilent: boolean }) {
  const workers = await Promise.all(all.map(async ({ id, key }) => ({ operator: id, key, ...(await network.credentials(id)) })));
  const program = fileURLToPath(new URL("edge-workers.ts", import.meta.url));
  const child = spawn("setpriv", [...endsWithThis, process.execPath, program], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const heard = new Set<string>();
  const arrivals = new EventTarget();
  lines.on("line", (line) => (heard.add(line), arrivals.dispatchEvent(new Event("line"))));
  // One that is killed at once reads nothing.
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify({ url: network.server.url, isSilent, workers }));
  const said = async (line: string): Promise<void> => {
    while (!heard.has(line)) await once(arrivals, "line", { signal: AbortSignal.timeout(120_000) });
  };
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  return { said, stop };
}

function newOperator() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = p256SignerOf(privateKey);
  return { id: signer.operator, signer, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

function jobsNamed(name: string, count: number, { buildMilliseconds = 0, of = operators } = {}): Work["jobs"] {
  return Array.from({ length: count }, (_, number) => {
    const operator = of[number % of.length];
    if (!operator) throw new Error("there are operators");
    const round = sha256Of(utf8(`${name} ${number}`));
    const commitBy = "2030-01-01T00:00:00Z";
    return {
      operator,
      message: { job: jobIdOf(round, operator.id), round, target: round, baseFence: 1, uploadTicket: `${buildMilliseconds}`, commitBy },
    };
  });
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}
