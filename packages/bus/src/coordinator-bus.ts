import type { ControlMessage, JobMessage, LiveMessage } from "@quorate/protocol/job";
import type { OperatorId } from "@quorate/protocol/operator";
import { ConsumerEvents, type ConsumerMessages, type JetStreamClient, type JetStreamManager } from "nats";
import type { NatsConnection } from "nats";
import { backoffMilliseconds, pause } from "./backoff.ts";
import { closeConnection, type ConnectionEvents, connectNats, onReconnect, requestMilliseconds, whileConnected } from "./connection.ts";
import { createAllowance } from "./message-allowance.ts";
import { createReportDispatcher, type ReportEvents, type ReportHandler } from "./reports.ts";
import { ensureJobConsumer, ensureStreams, forgetReportLeases, leaseSeconds } from "./streams.ts";
import { controlSubject, formatMessage, jobSubject, parseAddressed, subjects } from "./subjects.ts";
import type { NatsCredentials } from "./user-credentials.ts";

export type CoordinatorBusEvents = ConnectionEvents &
  ReportEvents & {
    /** Streams were missing and have been made again: the server lost its store. Consumers and jobs must be restored from the database. */
    storeLost?(streams: string[]): void;
    /** Reading reports was interrupted; it goes on after the pause. */
    reportsInterrupted?(error: unknown): void;
    malformedLive?(subject: string, error: unknown, total: number): void;
  };

/** The coordinator's end of the edge transport. */
export type CoordinatorBus = AsyncDisposable & {
  /** Makes the streams exist. Resolves to the names of those that did not. */
  ensureStreams(): Promise<string[]>;
  /** Makes the consumer exist that an operator's workers pull from. */
  ensureConsumer(operator: OperatorId): Promise<void>;
  /** Resolves when the job is durable. The same job with the same base fence is stored once. */
  publishJob(operator: OperatorId, architecture: string, message: JobMessage): Promise<void>;
  /** Starts handing reports to the handler, until the bus is disposed. */
  reports(handler: ReportHandler): void;
  /** Best effort: a worker that is away does not hear it. */
  sendControl(operator: OperatorId, message: ControlMessage): void;
  /** Progress of all jobs. */
  live(handler: (message: LiveMessage) => void): void;
};

export async function connectCoordinatorBus(options: {
  url: string;
  credentials: NatsCredentials;
  events?: CoordinatorBusEvents;
  /** How long a job stays with a worker of which nothing is heard. Workers say something every 20 seconds. */
  jobLeaseSeconds?: number;
  signal?: AbortSignal;
}): Promise<CoordinatorBus> {
  const { url, credentials, events = {}, jobLeaseSeconds = leaseSeconds, signal } = options;
  const connection = await connectNats({
    urls: [url],
    jwt: () => credentials.jwt,
    seed: credentials.seed,
    name: "coordinator",
    events,
    signal,
  });
  // Without the account check: JetStream may still be starting, and each call has its own error.
  const manager = await connection.jetstreamManager({ checkAPI: false, timeout: requestMilliseconds });
  const jetstream = connection.jetstream({ timeout: requestMilliseconds });
  const closing = new AbortController();
  const readers: Promise<void>[] = [];
  return {
    ensureStreams: async () => (await whileConnected(connection, () => ensureStreams(manager))).streams,
    ensureConsumer: (operator) => whileConnected(connection, () => ensureJobConsumer(manager, operator, jobLeaseSeconds)),
    publishJob: async (operator, architecture, message) => {
      const options = { msgID: `${message.job}:${message.baseFence}` };
      await whileConnected(connection, () => jetstream.publish(jobSubject(operator, architecture), formatMessage(message), options));
    },
    reports: (handler) => void readers.push(readReports({ connection, manager, jetstream, handler, events, signal: closing.signal })),
    sendControl: (operator, message) => connection.publish(controlSubject(operator), formatMessage(message)),
    live: (handler) => subscribeLive(connection, handler, events),
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await Promise.all(readers);
      await closeConnection(connection);
    },
  };
}

type ReportReader = {
  connection: NatsConnection;
  manager: JetStreamManager;
  jetstream: JetStreamClient;
  handler: ReportHandler;
  events: CoordinatorBusEvents;
  signal: AbortSignal;
};

/**
 * Reads reports until aborted, first those that an earlier coordinator was handed and did not acknowledge. After each interruption the
 * streams are looked at again, because a server may come back without its store.
 */
async function readReports(reader: ReportReader): Promise<void> {
  const { connection, manager, jetstream, events, signal } = reader;
  const dispatcher = createReportDispatcher(reader.handler, events);
  let failures = 0;
  let begun = false;
  while (!signal.aborted) {
    try {
      if (!begun) await whileConnected(connection, () => forgetReportLeases(manager), signal);
      begun = true;
      await restoreStreams(reader);
      const consumer = await jetstream.consumers.get("REPORTS", "coordinator");
      const messages = await consumer.consume({ max_messages: 64, expires: 30_000, bind: true, callback: dispatcher.dispatch });
      failures = 0;
      await untilInterrupted(reader, messages).finally(() => messages.close());
    } catch (error) {
      events.reportsInterrupted?.(error);
      await pause(backoffMilliseconds(++failures), signal).catch(() => undefined);
    }
  }
  await dispatcher.idle();
}

/** @returns whether the consumer is a new one */
async function restoreStreams({ connection, manager, events, signal }: ReportReader): Promise<boolean> {
  const { streams, consumer } = await whileConnected(connection, () => ensureStreams(manager), signal);
  if (streams.length > 0) events.storeLost?.(streams);
  return consumer;
}

const consumerIsGone: string[] = [
  ConsumerEvents.ConsumerDeleted,
  ConsumerEvents.ConsumerNotFound,
  ConsumerEvents.StreamNotFound,
  ConsumerEvents.NoResponders,
  ConsumerEvents.HeartbeatsMissed,
];

/**
 * Resolves when reading must begin anew: the consumer is gone, or a new one stands in its place, or aborted. A connection that came back is
 * no reason: the client has then asked for messages again, and closing would lose those on the way for the length of a lease.
 */
async function untilInterrupted(reader: ReportReader, messages: ConsumerMessages): Promise<void> {
  const { connection, signal } = reader;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const lookAgain = async (): Promise<void> => {
    if (await restoreStreams(reader)) resolve();
  };
  using _ = onReconnect(connection, () => void lookAgain().catch(reject));
  const statuses = await messages.status();
  void (async () => {
    for await (const status of statuses) if (consumerIsGone.includes(status.type)) resolve();
  })();
  void messages.closed().then(() => resolve());
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
}

/** A worker sends two a second for its one job; what is more than many workers would send is dropped, not read. */
const livePerOperator = { perSecond: 200, burst: 1000 };

function subscribeLive(connection: NatsConnection, handler: (message: LiveMessage) => void, events: CoordinatorBusEvents): void {
  let malformed = 0;
  const allowance = createAllowance({ ...livePerOperator, now: () => performance.now() });
  connection.subscribe(subjects.live.wildcard, {
    callback: (error, message) => {
      // Unread: the server lets only the operator publish on a subject with its name.
      if (error || !allowance.take(message.subject.split(".")[1] ?? "")) return;
      try {
        handler(parseAddressed("live", message.subject, message.data).message);
      } catch (cause) {
        events.malformedLive?.(message.subject, cause, ++malformed);
      }
    },
  });
}
