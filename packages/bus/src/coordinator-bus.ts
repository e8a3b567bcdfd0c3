import type { ControlMessage, JobMessage, LiveMessage } from "@quorate/protocol/job";
import type { OperatorId } from "@quorate/protocol/operator";
import { ConsumerDebugEvents, ConsumerEvents, type ConsumerMessages, type JetStreamClient, type JetStreamManager } from "nats";
import type { NatsConnection } from "nats";
import { backoffMilliseconds, pause } from "./backoff.ts";
import { closeConnection, type ConnectionEvents, connectNats, onReconnect, requestMilliseconds, untilConnected } from "./connection.ts";
import { createReportDispatcher, type ReportEvents, type ReportHandler } from "./reports.ts";
import { ensureJobConsumer, ensureStreams } from "./streams.ts";
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
  signal?: AbortSignal;
}): Promise<CoordinatorBus> {
  const { url, credentials, events = {}, signal } = options;
  const connection = await connectNats({ url, jwt: () => credentials.jwt, seed: credentials.seed, name: "coordinator", events, signal });
  // Without the account check: JetStream may still be starting, and each call has its own error.
  const manager = await connection.jetstreamManager({ checkAPI: false, timeout: requestMilliseconds });
  const jetstream = connection.jetstream({ timeout: requestMilliseconds });
  const closing = new AbortController();
  const readers: Promise<void>[] = [];
  return {
    ensureStreams: async () => {
      await untilConnected(connection);
      return await ensureStreams(manager);
    },
    ensureConsumer: async (operator) => {
      await untilConnected(connection);
      await ensureJobConsumer(manager, operator);
    },
    publishJob: async (operator, architecture, message) => {
      await untilConnected(connection);
      await jetstream.publish(jobSubject(operator, architecture), formatMessage(message), { msgID: `${message.job}:${message.baseFence}` });
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

/** Reads reports until aborted. After each interruption the streams are looked at again, because a server may come back without its store. */
async function readReports(reader: ReportReader): Promise<void> {
  const { events, signal } = reader;
  const dispatcher = createReportDispatcher(reader.handler, events);
  let failures = 0;
  while (!signal.aborted) {
    try {
      await untilConnected(reader.connection, signal);
      const created = await ensureStreams(reader.manager);
      if (created.length > 0) events.storeLost?.(created);
      const consumer = await reader.jetstream.consumers.get("REPORTS", "coordinator");
      const messages = await consumer.consume({ max_messages: 64, expires: 30_000, bind: true, callback: dispatcher.dispatch });
      failures = 0;
      await untilInterrupted(reader.connection, messages, signal);
    } catch (error) {
      events.reportsInterrupted?.(error);
      await pause(backoffMilliseconds(++failures), signal).catch(() => undefined);
    }
  }
  await dispatcher.idle();
}

/** Resolves when the connection was lost and came back, when the stream or consumer is gone, or when aborted. */
async function untilInterrupted(connection: NatsConnection, messages: ConsumerMessages, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _ = onReconnect(connection, resolve);
  const statuses = await messages.status();
  const interruptions: string[] = [ConsumerEvents.ConsumerDeleted, ConsumerEvents.ConsumerNotFound, ConsumerEvents.NoResponders];
  interruptions.push(ConsumerEvents.StreamNotFound, ConsumerEvents.HeartbeatsMissed, ConsumerDebugEvents.Reset);
  void (async () => {
    for await (const status of statuses) if (interruptions.includes(status.type)) resolve();
  })();
  void messages.closed().then(() => resolve());
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
  await messages.close();
}

function subscribeLive(connection: NatsConnection, handler: (message: LiveMessage) => void, events: CoordinatorBusEvents): void {
  let malformed = 0;
  connection.subscribe(subjects.live.wildcard, {
    callback: (error, message) => {
      if (error) return;
      try {
        handler(parseAddressed("live", message.subject, message.data).message);
      } catch (cause) {
        events.malformedLive?.(message.subject, cause, ++malformed);
      }
    },
  });
}
