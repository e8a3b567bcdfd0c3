import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "@quorate/client/api";
import { createLogWriter } from "@quorate/client/log-writer";
import { isSettled } from "@quorate/client/submission-events";
import { architecturesOf } from "@quorate/protocol/host-architectures";
import { createOperatorDirectory } from "@quorate/signing/operator-directory";
import { sendEnrolment } from "../services/cli/src/operator/send-enrolment.ts";
import { invitationToken, startTestNetwork, type TestNetwork } from "../services/coordinator/src/network.fixture.ts";
import { startProgram, type Server } from "../services/coordinator/src/servers.fixture.ts";
import { inLanes } from "../test/integration/log-constellation.ts";
import { type Figure, percentile } from "./figure.ts";
import { createListedArchive, listedSource } from "./listed-archive.ts";

const warmUp = 5;
const oneByOne = 60;
const backlog = 300;
const operators = ["alder", "birch", "cedar"];

/**
 * What a round costs besides the build: coordinator, log, three witnesses, three workers, PGlite, Redis and NATS, each a process of its own on
 * this machine, over loopback. Left out is what an executor does: fetching sources, the environment, the build, and hashing what came out.
 * The archive is a directory, its indices are small, and the database is new.
 */
export async function measure(): Promise<Figure[]> {
  await using archive = await createListedArchive(warmUp + oneByOne + backlog);
  await using network = await startTestNetwork({ sources: archive, witnesses: 3, isProcess: true });
  await using workers = new AsyncDisposableStack();
  for (const operator of operators) workers.use(await startNoOpWorker(network, operator));
  for (let number = 0; number < warmUp; number += 1) await rebuild(network.api, number);

  const times: number[] = [];
  for (let number = warmUp; number < warmUp + oneByOne; number += 1) times.push(await rebuild(network.api, number));
  const floor = await logMilliseconds(network);
  const roundsPerSecond = await settleBacklog(network.api);
  const beside = (value: number) => ({ ratio: floor / value, reference: "the appends of one round, in order, to the idle log" });
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
  return [
    { name: "submission to published verdict, one at a time, median", value: p50, unit: "ms", ...beside(p50) },
    { name: "submission to published verdict, one at a time, 99 %", value: p99, unit: "ms", ...beside(p99) },
    {
      name: `rounds under a backlog of ${backlog}`,
      value: roundsPerSecond,
      unit: "rounds/s",
      ratio: (roundsPerSecond * p50) / 1000,
      reference: "one at a time",
    },
  ];
}

async function startNoOpWorker(network: TestNetwork, operator: string): Promise<Server<object>> {
  const program = new URL("no-op-worker.ts", import.meta.url);
  const directory = network.config.COORDINATOR_DATA_DIR;
  const operatorDirectory = `${directory}/operator-${operator}`;
  const identity = createOperatorDirectory(operatorDirectory, { name: operator, groups: {}, architectures: architecturesOf(process.arch) });
  const signal = AbortSignal.timeout(60_000);
  await sendEnrolment({ directory: operatorDirectory, identity, api: network.api, invitation: invitationToken, signal });
  const env = {
    OPERATOR_DIR: operatorDirectory,
    PACKAGE_CACHE_DIR: directory,
    ARCHIVES_FILE: network.config.ARCHIVES_FILE,
  };
  return startProgram(program, { service: "worker", env, ready: /worker is ready/ });
}

/** Milliseconds from the request until the verdict is under a published checkpoint. */
async function rebuild(api: Api, number: number): Promise<number> {
  const startedAt = performance.now();
  const { id } = await submit(api, number);
  for await (const event of api.submissionEvents(id)) {
    if (event.kind !== "submission" || !isSettled(event.submission)) continue;
    const verdict = event.submission.rounds[0]?.verdict;
    if (verdict?.outcome !== "reproduced") throw new Error(`rebuilding ${listedSource(number)}: ${verdict?.outcome}: ${verdict?.reason}`);
    return performance.now() - startedAt;
  }
  throw new Error(`rebuilding ${listedSource(number)}: its events ended without a verdict`);
}

const submit = (api: Api, number: number) => api.submit({ distribution: "debian", suite: "small", source: listedSource(number) });

/** Rounds a second from the first of many submissions to the last verdict. */
async function settleBacklog(api: Api): Promise<number> {
  const first = warmUp + oneByOne;
  const startedAt = performance.now();
  await inLanes(backlog, 8, async (number) => void (await submit(api, first + number)));
  for (;;) {
    const { verdicts } = await api.stats();
    if ((verdicts.reproduced ?? 0) === first + backlog) break;
    await sleep(50);
  }
  return (backlog * 1000) / (performance.now() - startedAt);
}

/** Target (published), round, a commitment and a result (sequenced), verdict (published): what each round waits for at the least. */
async function logMilliseconds({ config }: TestNetwork): Promise<number> {
  const writer = createLogWriter({ url: config.LOG_URL, token: config.LOG_TOKEN });
  const samples: number[] = [];
  for (let sample = 0; sample < 30; sample += 1) {
    const startedAt = performance.now();
    for (const [position, wait] of (["published", "sequenced", "sequenced", "sequenced", "published"] as const).entries()) {
      const key = `bench/${sample}/${position}`;
      await writer.append({ key, bytes: Buffer.from(key.padEnd(2_000, ".")), wait });
    }
    samples.push(performance.now() - startedAt);
  }
  return percentile(samples, 0.5);
}
