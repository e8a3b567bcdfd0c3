import { connectWorkerBus, type WorkerBusEvents } from "@quorate/bus/worker-bus";
import { createApi } from "@quorate/client/api";
import { createBlobs } from "@quorate/client/blobs";
import type { ControlMessage } from "@quorate/protocol/job";
import type { OperatorId } from "@quorate/protocol/operator";
import { unreachable } from "@quorate/protocol/unreachable";
import { openDataDirectory } from "@quorate/service/data-directory";
import type { Logger } from "@quorate/service/logger";
import { join } from "node:path";
import type { WorkerConfig } from "./config.ts";
import { architecturesOf, enrol, type EnrolOptions, keepEnrolled } from "./enrol.ts";
import { createWorkerEvents, type WorkerEvents } from "./events.ts";
import type { Executor } from "./executor.ts";
import { openLinkKey, openNatsUserKey, openOperatorKey } from "./operator-identity.ts";
import { openRevealStore } from "./reveal-store.ts";
import { createRevealer } from "./reveal.ts";
import { takeJobs } from "./take-jobs.ts";
import { deleteLeftOvers } from "./work-directory.ts";

export type WorkerOptions = {
  config: WorkerConfig;
  /** Opens what builds the targets, with a directory of its own that no other process uses meanwhile. */
  openExecutor: (dataDirectory: string) => Executor | Promise<Executor>;
  logger: Logger;
  /** Gives up a start that waits for the coordinator. */
  signal?: AbortSignal;
};

export type Worker = AsyncDisposable & { readonly operator: OperatorId };

/**
 * Starts a worker of an operator: enrols, connects, takes jobs. Disposing of it drains: the job in hand is finished or given back.
 *
 * @throws Error when the data directory is in use, or the coordinator refuses the enrolment
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { config } = options;
  const events = createWorkerEvents(options.logger);
  const resources = new AsyncDisposableStack();
  await using unlessStarted = resources;
  const data = resources.use(await openDataDirectory({ path: config.dataDirectory, service: "worker", format: 1 }));
  const signer = openOperatorKey(config.operatorKeyFile, events);
  const linkSigner = openLinkKey(config.linkKeyFile);
  const { operator } = signer;
  const userKey = await openNatsUserKey(data.path);
  const store = await openRevealStore(data.path);
  await deleteLeftOvers(data.path, events.undeletable);
  const executor = await options.openExecutor(join(data.path, "executor"));

  const closing = new AbortController();
  const signal = options.signal ? AbortSignal.any([closing.signal, options.signal]) : closing.signal;
  const api = createApi({ url: config.coordinatorUrl, token: config.invitationToken });
  const blobs = createBlobs({ url: config.coordinatorUrl });
  const { operatorName: name, hostname, groups } = config;
  const enrolment: EnrolOptions = {
    api,
    signer,
    linkSigner,
    name,
    hostname,
    groups,
    architectures: architecturesOf(process.arch),
    natsUserKey: userKey.publicKey,
    events,
    signal,
  };
  const answer = await enrol(enrolment);
  let jwt = answer.natsJwt;
  const busEvents = busEventsOf(events);
  const bus = resources.use(
    await connectWorkerBus({ url: answer.natsUrl, jwt: () => jwt, userSeed: userKey.seed, operator, events: busEvents, signal }),
  );
  const renewal = keepEnrolled({ ...enrolment, signal: closing.signal }, answer, (renewed) => (jwt = renewed));
  const revealer = createRevealer({ bus, store, operator, events, signal: closing.signal });
  const { parallel, limits } = config;
  const jobs = takeJobs({ bus, api, blobs, executor, signer, linkSigner, store, events, dataDirectory: data.path, parallel, limits });
  bus.control((message) => obey(message, { reveal: revealer.reveal, cancel: jobs.cancel }));
  resources.defer(async () => {
    await jobs.drain();
    closing.abort(new Error("the worker is stopping"));
    await Promise.all([revealer.idle(), renewal]);
  });
  events.started(operator, name, answer.natsUrl);
  const started = unlessStarted.move();
  return { operator, [Symbol.asyncDispose]: () => started.disposeAsync() };
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

function busEventsOf(events: WorkerEvents): WorkerBusEvents {
  return {
    disconnected: () => events.transport("connection lost"),
    reconnected: () => events.transport("connection restored"),
    connectFailed: (error) => events.transport("connecting failed; it is tried again", error),
    serverError: (error) => events.transport(error),
    malformedJob: (error) => events.malformedMessage("job", error),
    malformedControl: (error) => events.malformedMessage("control", error),
    retrying: events.retrying,
  };
}
