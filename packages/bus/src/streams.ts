import type { OperatorId } from "@quorate/protocol/operator";
import { AckPolicy, type ConsumerConfig, DiscardPolicy, type JetStreamManager, NatsError, nanos, RetentionPolicy } from "nats";
import { StorageType, type StreamConfig } from "nats";
import { subjects } from "./subjects.ts";

/** A delivered message is delivered again when nothing is heard of it for this long. */
export const leaseSeconds = 60;

/** A worker has one or two at a time; what is refused is sent again after a pause. */
export const waitingReports = 64;

const day = 24 * 3600 * 1000;

/** Both streams are work queues: what is acknowledged is gone, and a full one refuses new messages instead of dropping old ones. */
const streams: readonly (Partial<StreamConfig> & { name: string })[] = [
  {
    name: "JOBS",
    subjects: [subjects.job.wildcard],
    max_age: nanos(30 * day),
    max_bytes: 256 * 2 ** 20,
    max_msg_size: subjects.job.maxBytes,
    // A job that is published again within this time with the same base fence is dropped by the server.
    duplicate_window: nanos(3600 * 1000),
  },
  {
    name: "REPORTS",
    subjects: [subjects.report.wildcard],
    max_age: nanos(30 * day),
    max_bytes: 2 * 2 ** 30,
    max_msg_size: subjects.report.maxBytes,
    // What one operator may have waiting: a flood of one fills its own share, and its further reports are refused.
    max_msgs_per_subject: waitingReports,
    discard_new_per_subject: true,
  },
].map((stream) => ({ ...stream, retention: RetentionPolicy.Workqueue, storage: StorageType.File, discard: DiscardPolicy.New }));

const reportsConsumer: Partial<ConsumerConfig> & { durable_name: string } = {
  durable_name: "coordinator",
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(leaseSeconds * 1000),
  // Bounds how many reports the coordinator works on at once.
  max_ack_pending: 64,
};

/**
 * Makes the streams and the coordinator's consumer exist as they should. Idempotent.
 *
 * @returns the names of the streams that did not exist (after the first start, a sign that the server lost its store), and whether the
 *   consumer did not
 */
export async function ensureStreams(manager: JetStreamManager): Promise<{ streams: string[]; consumer: boolean }> {
  const created: string[] = [];
  for (const stream of streams) {
    if (await exists(manager.streams.info(stream.name))) {
      await manager.streams.update(stream.name, stream);
    } else {
      await manager.streams.add(stream);
      created.push(stream.name);
    }
  }
  return { streams: created, consumer: await ensureConsumer(manager, "REPORTS", reportsConsumer) };
}

/**
 * Forgets what the coordinator's consumer has handed out, so that the one that `ensureStreams` makes next hands all of it out again: reports
 * that were on their way to a coordinator that stopped or was killed would otherwise wait for the rest of their lease. Idempotent.
 */
export async function forgetReportLeases(manager: JetStreamManager): Promise<void> {
  await exists(manager.consumers.delete("REPORTS", reportsConsumer.durable_name));
}

/** The one consumer of an operator's jobs, shared by its own workers and nobody else. Idempotent. */
export async function ensureJobConsumer(manager: JetStreamManager, operator: OperatorId, seconds: number): Promise<void> {
  await ensureConsumer(manager, "JOBS", {
    durable_name: operator,
    filter_subject: `job.${operator}.*`,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(seconds * 1000),
    max_ack_pending: 1000,
  });
}

/** @returns whether it did not exist */
async function ensureConsumer(manager: JetStreamManager, stream: string, config: Partial<ConsumerConfig>): Promise<boolean> {
  const name = config.durable_name ?? "";
  const found = await exists(manager.consumers.info(stream, name));
  if (found) await manager.consumers.update(stream, name, config);
  else await manager.consumers.add(stream, config);
  return !found;
}

async function exists(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return false;
    throw error;
  }
}
