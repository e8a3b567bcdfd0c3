import type { WorkerBus } from "@quorate/bus/worker-bus";
import { createApi } from "@quorate/client/api";
import { createBlobs } from "@quorate/client/blobs";
import type { ControlMessage } from "@quorate/protocol/job";
import type { OperatorId } from "@quorate/protocol/operator";
import { unreachable } from "@quorate/protocol/unreachable";
import type { Capabilities } from "@quorate/protocol/worker";
import { openDataDirectory } from "@quorate/service/data-directory";
import type { Logger } from "@quorate/service/logger";
import { join } from "node:path";
import type { WorkerConfig } from "./config.ts";
import { createWorkerEvents, type WorkerEvents } from "./events.ts";
import type { Executor } from "./executor.ts";
import { architecturesOf } from "@quorate/protocol/host-architectures";
import { joinNetwork } from "./join-network.ts";
import { type JoinedOperator, loadJoinedOperator, openNatsUserKey } from "./operator-identity.ts";
import { watchPauseFile } from "./pause-file.ts";
import { openRevealStore, type RevealStore } from "./reveal-store.ts";
import { createRevealer } from "./reveal.ts";
import { openStatusFile, type StatusFile } from "./status-file.ts";
import { takeJobs } from "./take-jobs.ts";
import { deleteLeftOvers } from "./work-directory.ts";

export type WorkerOptions = {
  config: WorkerConfig;
  /** Opens what builds the targets, with a directory of its own that no other process uses meanwhile. */
  openExecutor: (dataDirectory: string) => Executor | Promise<Executor>;
  logger: Logger;
  /** Gives up a start that waits for the coordinator. */
  signal?: AbortSignal;
  /** The network no longer takes this worker: its operator was revoked or has another key, or it was dismissed. */
  fail: (error: unknown) => void;
};

export type Worker = AsyncDisposable & {
  readonly operator: OperatorId;
  /** Of a worker that takes one job: resolves when that is over, and its result revealed if there is one. */
  readonly finished: Promise<void>;
};

/**
 * Starts a worker of an operator: registers, connects, takes jobs. Disposing of it drains: the job in hand is finished or given back.
 *
 * @throws Error when the data directory is in use, the operator has not joined, or the coordinator refuses it
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { config } = options;
  const events = createWorkerEvents(options.logger);
  await using resources = new AsyncDisposableStack();
  const data = resources.use(await openDataDirectory({ path: config.dataDirectory, service: "worker", format: 1 }));
  const identity = await loadJoinedOperator(config.operatorDirectory, config.passphraseFile);
  const userKey = await openNatsUserKey(data.path);
  const status = openStatusFile(data.path, { operator: identity.signer.operator, worker: userKey.publicKey });
  const store = await showUnrevealed(await openRevealStore(data.path), status);
  await deleteLeftOvers(data.path, events.undeletable);
  const executor = await options.openExecutor(join(data.path, "executor"));
  const running = resources.use(await run({ ...options, events, identity, userKey, status, store, executor, dataDirectory: data.path }));
  const owned = resources.move();
  return { operator: running.operator, finished: running.finished, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Surroundings = WorkerOptions & {
  events: WorkerEvents;
  identity: JoinedOperator;
  userKey: { publicKey: string; seed: string };
  status: StatusFile;
  store: RevealStore;
  executor: Executor;
  dataDirectory: string;
};

async function run(surroundings: Surroundings): Promise<Worker> {
  const { config, events, identity, userKey, status, store, executor, dataDirectory, fail } = surroundings;
  const { profile, signer, linkSigner, url, network } = identity;
  await using resources = new AsyncDisposableStack();
  const pauseFile = resources.use(watchPauseFile(dataDirectory));
  const closing = new AbortController();
  const signal = surroundings.signal ? AbortSignal.any([closing.signal, surroundings.signal]) : closing.signal;
  const [api, blobs] = [createApi({ url }), createBlobs({ url })];
  const capabilities = capabilitiesOf(profile.architectures, config);
  const said = { worker: userKey.publicKey, name: config.workerName, capabilities };
  status.show({ state: "connecting" });
  const membership = await joinNetwork({ ...said, api, signer, network, events: showPending(events, status), signal }, userKey.seed);
  const bus = resources.use(membership.bus);
  const kept = membership.keep(closing.signal).catch((error: unknown) => void (closing.signal.aborted || fail(error)));
  const revealer = createRevealer({ bus, store, operator: signer.operator, events, signal: closing.signal });
  const { parallel, limits, once } = config;
  const building = { executor, signer, linkSigner, store, ...capabilities, dataDirectory, parallel, limits };
  const jobs = takeJobs({ bus: showLive(bus, status), api, blobs, events, pauseFile, status, once, ...building });
  bus.control((message) => obey(message, { reveal: revealer.reveal, cancel: jobs.cancel }));
  resources.defer(async () => {
    await jobs.drain();
    closing.abort(new Error("the worker is stopping"));
    await Promise.all([revealer.idle(), kept]);
  });
  events.started(signer.operator, profile.name, membership.natsUrls);
  const finished = jobs.finished.then((job) => (job === undefined ? undefined : revealer.until(job))).catch(() => undefined);
  const owned = resources.move();
  return { operator: signer.operator, finished, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What the operator builds and this machine can, with what one build may take. */
function capabilitiesOf(enrolled: readonly string[], { parallel, limits, tags }: WorkerConfig): Capabilities {
  const architectures = architecturesOf(process.arch).filter((architecture) => enrolled.includes(architecture));
  if (architectures.length === 0) {
    throw new Error(
      `starting a worker: the operator builds for ${enrolled.join(", ")}, and this machine for ${architecturesOf(process.arch).join(", ")}`,
    );
  }
  return { architectures, cores: parallel, memoryMib: limits.memoryMib, diskMib: limits.diskMib, tags };
}

function showPending(events: WorkerEvents, status: StatusFile): WorkerEvents {
  return {
    ...events,
    pending(operator, pauseMilliseconds) {
      status.show({ state: "waiting to be admitted" });
      events.pending(operator, pauseMilliseconds);
    },
  };
}

async function showUnrevealed(store: RevealStore, status: StatusFile): Promise<RevealStore> {
  const show = async () => status.show({ unrevealed: await store.countUnrevealed() });
  await show();
  return {
    ...store,
    save: async (result) => {
      await store.save(result);
      await show();
    },
    markRevealed: async (job) => {
      await store.markRevealed(job);
      await show();
    },
  };
}

function showLive(bus: WorkerBus, status: StatusFile): WorkerBus {
  return {
    ...bus,
    live(message) {
      status.show({ activity: [message.phase, message.activity].filter((part) => part !== undefined).join(": ") });
      bus.live(message);
    },
  };
}

function obey(message: ControlMessage, { reveal, cancel }: { reveal(job: string): void; cancel(job: string): void }): void {
  switch (message.kind) {
    case "reveal":
      return reveal(message.job);
    case "cancel":
      return cancel(message.job);
    default:
      return unreachable(message);
  }
}
