import type { ControlMessage, JobMessage, LiveMessage, ReportMessage } from "@quorate/protocol/job";
import type { OperatorId } from "@quorate/protocol/operator";
import type { Consumer, JetStreamClient, JsMsg, NatsConnection } from "nats";
import { backoffMilliseconds, pause } from "./backoff.ts";
import { closeConnection, type ConnectionEvents, connectNats, onReconnect, requestMilliseconds, whileConnected } from "./connection.ts";
import { controlSubject, formatMessage, inboxPrefix, liveSubject, parseMessage, reportSubject } from "./subjects.ts";

/** A job that this worker holds until it acknowledges it, gives it back, or says nothing for `leaseSeconds`. */
export type LeasedJob = {
  readonly message: JobMessage;
  /** One higher with every delivery of the job: a report with an older fence is refused. */
  readonly fence: number;
  /** Says that the work goes on. */
  keepAlive(): void;
  /** Resolves when the server has forgotten the job. */
  ack(): Promise<void>;
  /** Lets another worker of this operator, or this one later, have the job. */
  giveBack(delaySeconds: number): void;
};

export type WorkerBusEvents = ConnectionEvents & {
  /** A job that is not one was thrown away. */
  malformedJob?(error: unknown): void;
  malformedControl?(error: unknown): void;
  /** Asking for a job, or sending a report, failed; it is tried again after the pause. */
  retrying?(what: string, error: unknown, pauseMilliseconds: number): void;
};

/** A worker's end of the edge transport. */
export type WorkerBus = AsyncDisposable & {
  /** Waits for a job, however long it takes. Resolves to undefined when the signal is aborted. */
  nextJob(signal: AbortSignal): Promise<LeasedJob | undefined>;
  /** Sends until the server has the report on disk. @throws the signal's reason when it is aborted before */
  report(message: ReportMessage, signal: AbortSignal): Promise<void>;
  control(handler: (message: ControlMessage) => void): void;
  /** Best effort. */
  live(message: LiveMessage): void;
};

export async function connectWorkerBus(options: {
  urls: readonly string[];
  /** Asked again at each reconnection: renewed credentials are used from then on. */
  jwt: () => string;
  userSeed: string;
  operator: OperatorId;
  events?: WorkerBusEvents;
  signal?: AbortSignal;
}): Promise<WorkerBus> {
  const { urls, jwt, userSeed, operator, events = {}, signal } = options;
  const connection = await connectNats({
    urls,
    jwt,
    seed: userSeed,
    name: `worker of ${operator}`,
    inboxPrefix: inboxPrefix(operator),
    events,
    signal,
  });
  const jetstream = connection.jetstream({ timeout: requestMilliseconds });
  return {
    nextJob: createJobPuller({ connection, jetstream, operator, events }),
    report: async (message, signal) => {
      const send = (): Promise<unknown> => jetstream.publish(reportSubject(operator), formatMessage(message));
      await untilDone({ what: `sending the ${message.kind} report of job ${message.job}`, act: send, connection, events, signal });
    },
    control: (handler) => subscribeControl(connection, operator, handler, events),
    live: (message) => {
      if (!connection.isClosed()) connection.publish(liveSubject(operator, message.job), formatMessage(message));
    },
    [Symbol.asyncDispose]: () => closeConnection(connection),
  };
}

type JobSource = { connection: NatsConnection; jetstream: JetStreamClient; operator: OperatorId; events: WorkerBusEvents };

function createJobPuller(source: JobSource): WorkerBus["nextJob"] {
  const { events } = source;
  return async (signal) => {
    for (let failures = 0; !signal.aborted;) {
      try {
        const message = await pullOne(source, signal);
        failures = 0;
        const job = message && parseJob(message, events);
        if (job) return job;
      } catch (error) {
        const milliseconds = backoffMilliseconds(++failures);
        if (!signal.aborted) events.retrying?.("asking for a job", error, milliseconds);
        await pause(milliseconds, signal).catch(() => undefined);
      }
    }
    return undefined;
  };
}

/** A consumer that has a job and was asked for one answers in this time. */
const answerMilliseconds = 2_000;

/** Resolves to undefined when there was no job for half a minute, when the server has lost the consumer, or when aborted. */
async function pullOne(source: JobSource, signal: AbortSignal): Promise<JsMsg | undefined> {
  // Asked for each time: the server does not answer a pull from a consumer that it has lost.
  const consumer = await findConsumer(source, signal);
  const { created } = await consumer.info(true);
  const messages = await consumer.fetch({ max_messages: 1, expires: 30_000, bind: true });
  const close = (): void => void messages.close();
  const over = new AbortController();
  const lookAgain = async (): Promise<void> => {
    const now = await findConsumer(source, signal).catch(() => undefined);
    if (now && (await now.info(true)).created === created) return;
    // A new consumer may or may not have heard the client, and what it has sent would be lost.
    if (now) await pause(answerMilliseconds, over.signal).catch(() => undefined);
    close();
  };
  // A connection that came back is no reason to close: the client has then asked again, and a job that is on its way would be lost for the
  // length of its lease.
  using _ = onReconnect(source.connection, () => void lookAgain());
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  try {
    for await (const message of messages) return message;
    return undefined;
  } finally {
    over.abort();
    signal.removeEventListener("abort", close);
  }
}

const findConsumer = ({ connection, jetstream, operator }: JobSource, signal: AbortSignal): Promise<Consumer> =>
  whileConnected(connection, () => jetstream.consumers.get("JOBS", operator), signal);

function parseJob(message: JsMsg, events: WorkerBusEvents): LeasedJob | undefined {
  try {
    const job = parseMessage("job", message.data);
    return {
      message: job,
      fence: job.baseFence + message.info.deliveryCount - 1,
      keepAlive: () => message.working(),
      ack: async () => void (await message.ackAck()),
      giveBack: (delaySeconds) => message.nak(delaySeconds * 1000),
    };
  } catch (error) {
    events.malformedJob?.(error);
    message.ack();
    return undefined;
  }
}

async function untilDone(task: {
  what: string;
  act: () => Promise<unknown>;
  connection: NatsConnection;
  events: WorkerBusEvents;
  signal: AbortSignal;
}): Promise<void> {
  const { what, act, connection, events, signal } = task;
  for (let failures = 0; ;) {
    signal.throwIfAborted();
    try {
      await whileConnected(connection, act, signal);
      return;
    } catch (error) {
      const milliseconds = backoffMilliseconds(++failures);
      events.retrying?.(what, error, milliseconds);
      await pause(milliseconds, signal);
    }
  }
}

function subscribeControl(
  connection: NatsConnection,
  operator: OperatorId,
  handler: (message: ControlMessage) => void,
  events: WorkerBusEvents,
): void {
  connection.subscribe(controlSubject(operator), {
    callback: (error, message) => {
      try {
        if (error) throw error;
        handler(parseMessage("control", message.data));
      } catch (cause) {
        events.malformedControl?.(cause);
      }
    },
  });
}
