import { performance } from "node:perf_hooks";
import type { DeliveryAttempt } from "@quorate/protocol/webhook";
import type { Database } from "../database.ts";
import {
  type Attempted,
  endWebhook,
  findDueDelivery,
  forgetDeliveries,
  loadDueWebhooks,
  messageIdOf,
  saveAttempt,
  type StoredDelivery,
  type StoredWebhook,
} from "../store/webhooks.ts";
import { startSweep, type Sweep } from "../sweep.ts";
import { createPostWebhook, type PostWebhook } from "./post-webhook.ts";
import { signatureHeaders } from "./signature.ts";

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
/** How long after an attempt that failed the next one is due; after the last of them the message is given up. */
const retries = [5 * second, minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour, day];
const keptMilliseconds = 30 * day;
/** Endpoints that are sent to at a time; each gets one message after the other. */
const maxLanes = 16;
const maxErrorCharacters = 300;

export type DeliveryEvents = {
  webhookDelivered(webhook: string, message: string): void;
  webhookFailed(webhook: string, message: string, attempt: DeliveryAttempt, nextAttemptAt: Date | null): void;
  webhooksUnsent(error: unknown): void;
};

type Given = {
  db: Database;
  isAllowed: (address: string) => boolean;
  events: DeliveryEvents;
  now: () => Date;
  everyMilliseconds: number;
  retryMilliseconds?: readonly number[] | undefined;
};

/**
 * Sends the messages of webhooks that are due: in order to each endpoint, again and again until it answers 2xx. An endpoint that hangs holds
 * up nobody but itself. A message may come twice, when the coordinator ends between sending and keeping that it did.
 */
export function startWebhookDelivery(given: Given): Sweep {
  const { db, isAllowed, events, now, everyMilliseconds, retryMilliseconds = retries } = given;
  const stop = new AbortController();
  const post = createPostWebhook({ isAllowed, signal: stop.signal });
  const lanes = new Map<string, Promise<void>>();
  const sendDue = async (webhook: StoredWebhook) => {
    try {
      while (!stop.signal.aborted) {
        const delivery = await findDueDelivery(db, webhook.id, now());
        if (!delivery) return;
        const attempt = await attemptDelivery(post, webhook, delivery, now());
        // What was broken off here says nothing of the endpoint.
        if (stop.signal.aborted) return;
        const attempted = attemptedOf(delivery, attempt, { retryMilliseconds, now: now() });
        await saveAttempt(db, delivery.id, attempted);
        if (attempt.status === 410) await endWebhook(db, webhook.id, now());
        if (attempted.deliveredAt) events.webhookDelivered(webhook.id, messageIdOf(delivery));
        else events.webhookFailed(webhook.id, messageIdOf(delivery), attempt, attempted.nextAttemptAt);
      }
    } catch (error) {
      events.webhooksUnsent(error);
    } finally {
      lanes.delete(webhook.id);
    }
  };
  const look = async () => {
    await forgetDeliveries(db, new Date(now().getTime() - keptMilliseconds));
    if (lanes.size >= maxLanes) return;
    const due = await loadDueWebhooks(db, now(), [...lanes.keys()], maxLanes - lanes.size);
    for (const webhook of due) lanes.set(webhook.id, sendDue(webhook));
  };
  const sweep = startSweep({ everyMilliseconds, look, onError: events.webhooksUnsent });
  return {
    now: sweep.now,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await sweep[Symbol.asyncDispose]();
      await Promise.all(lanes.values());
    },
  };
}

async function attemptDelivery(post: PostWebhook, webhook: StoredWebhook, delivery: StoredDelivery, at: Date): Promise<DeliveryAttempt> {
  const { url, secret } = webhook;
  const { body } = delivery;
  const began = performance.now();
  const tried = { at: at.toISOString() };
  const took = () => ({ milliseconds: Math.round(performance.now() - began) });
  try {
    const status = await post({ url, body, headers: signatureHeaders(secret, { id: messageIdOf(delivery), sentAt: at, body }) });
    return { ...tried, ...took(), status };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...tried, ...took(), error: message.slice(0, maxErrorCharacters) };
  }
}

/** What a message has come to with one more attempt. */
function attemptedOf(
  { attempts }: StoredDelivery,
  attempt: DeliveryAttempt,
  { retryMilliseconds, now }: { retryMilliseconds: readonly number[]; now: Date },
): Attempted {
  const all = [...attempts, attempt];
  const { status = 0 } = attempt;
  if (status >= 200 && status < 300) return { attempts: all, nextAttemptAt: null, deliveredAt: now };
  const wait = retryMilliseconds[attempts.length];
  return { attempts: all, nextAttemptAt: wait === undefined ? null : new Date(now.getTime() + wait), deliveredAt: null };
}
