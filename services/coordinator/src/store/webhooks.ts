import type { Target } from "@quorate/protocol/target";
import {
  deliveryViewSchema,
  type Deliveries,
  type DeliveryAttempt,
  type DeliveryView,
  type VerdictMessage,
} from "@quorate/protocol/webhook";
import { and, asc, count, desc, eq, inArray, isNotNull, isNull, lt, lte, notInArray } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { submissions, submissionTargets } from "../schema.ts";
import { webhookDeliveries, webhooks } from "../webhook-tables.ts";
import { pageOf } from "./page-of.ts";
import type { StoredVerdict } from "./verdicts.ts";

export type StoredWebhook = typeof webhooks.$inferSelect;
export type StoredDelivery = typeof webhookDeliveries.$inferSelect;

export async function saveWebhook(db: Queries, webhook: Omit<StoredWebhook, "endedAt">): Promise<StoredWebhook> {
  const [row] = await db.insert(webhooks).values(webhook).returning();
  if (!row) throw new Error(`storing webhook ${webhook.id} stored nothing`);
  return row;
}

/** A project's, the oldest first. */
export async function loadWebhooks(db: Queries, project: string): Promise<StoredWebhook[]> {
  return await db.select().from(webhooks).where(eq(webhooks.project, project)).orderBy(asc(webhooks.createdAt), asc(webhooks.id));
}

export async function countWebhooks(db: Queries, project: string): Promise<number> {
  const [row] = await db.select({ count: count() }).from(webhooks).where(eq(webhooks.project, project));
  return row?.count ?? 0;
}

/** With all messages to it; undefined when the project has none with this id. */
export async function removeWebhook(db: Queries, project: string, id: string): Promise<StoredWebhook | undefined> {
  const [removed] = await db
    .delete(webhooks)
    .where(and(eq(webhooks.id, id), eq(webhooks.project, project)))
    .returning();
  return removed;
}

/** Nothing more is sent to it, and what waits is given up. */
export async function endWebhook(db: Queries, id: string, now: Date): Promise<void> {
  await db.update(webhooks).set({ endedAt: now }).where(eq(webhooks.id, id));
  await db
    .update(webhookDeliveries)
    .set({ nextAttemptAt: null })
    .where(and(eq(webhookDeliveries.webhook, id), isNotNull(webhookDeliveries.nextAttemptAt)));
}

/** A message for each webhook of the projects that submitted the target; in the transaction that keeps the verdict. */
export async function saveVerdictMessages(db: Queries, settled: StoredVerdict, target: Target, now: Date): Promise<void> {
  const { verdict, index } = settled;
  const projects = db
    .select({ project: submissions.project })
    .from(submissions)
    .innerJoin(submissionTargets, eq(submissionTargets.submission, submissions.id))
    .where(eq(submissionTargets.target, verdict.target));
  const told = await db
    .select({ id: webhooks.id })
    .from(webhooks)
    .where(and(isNull(webhooks.endedAt), inArray(webhooks.project, projects)));
  if (told.length === 0) return;
  const { distribution, suite, source, version, architecture } = target;
  const message: VerdictMessage = {
    type: "verdict",
    timestamp: now.toISOString(),
    data: {
      round: verdict.round,
      target: verdict.target,
      distribution,
      suite,
      source,
      version,
      architecture,
      outcome: verdict.outcome,
      verdictIndex: index,
    },
  };
  const body = JSON.stringify(message);
  await db
    .insert(webhookDeliveries)
    .values(told.map(({ id }) => ({ webhook: id, round: verdict.round, body, createdAt: now, attempts: [], nextAttemptAt: now })))
    .onConflictDoNothing();
}

/** A message that somebody asked for to try a webhook out; the one that still waits, if there is one. */
export async function savePing(db: Queries, webhook: string, now: Date): Promise<StoredDelivery> {
  const isWaitingPing = and(
    eq(webhookDeliveries.webhook, webhook),
    isNull(webhookDeliveries.round),
    isNotNull(webhookDeliveries.nextAttemptAt),
  );
  const [waiting] = await db.select().from(webhookDeliveries).where(isWaitingPing);
  if (waiting) return waiting;
  const body = JSON.stringify({ type: "ping", timestamp: now.toISOString(), data: {} });
  const [saved] = await db
    .insert(webhookDeliveries)
    .values({ webhook, body, createdAt: now, attempts: [], nextAttemptAt: now })
    .returning();
  if (!saved) throw new Error(`storing a ping of webhook ${webhook} stored nothing`);
  return saved;
}

/** Webhooks to which a message is due, besides those that are being sent to. */
export async function loadDueWebhooks(db: Queries, now: Date, busy: readonly string[], limit: number): Promise<StoredWebhook[]> {
  const due = db.select({ webhook: webhookDeliveries.webhook }).from(webhookDeliveries).where(lte(webhookDeliveries.nextAttemptAt, now));
  return await db
    .select()
    .from(webhooks)
    .where(and(inArray(webhooks.id, due), notInArray(webhooks.id, [...busy])))
    .orderBy(asc(webhooks.id))
    .limit(limit);
}

/** The message to a webhook that is due for longest. */
export async function findDueDelivery(db: Queries, webhook: string, now: Date): Promise<StoredDelivery | undefined> {
  const [row] = await db
    .select()
    .from(webhookDeliveries)
    .where(and(eq(webhookDeliveries.webhook, webhook), lte(webhookDeliveries.nextAttemptAt, now)))
    .orderBy(asc(webhookDeliveries.nextAttemptAt), asc(webhookDeliveries.id))
    .limit(1);
  return row;
}

export type Attempted = { attempts: DeliveryAttempt[]; nextAttemptAt: Date | null; deliveredAt: Date | null };

export async function saveAttempt(db: Queries, id: number, attempted: Attempted): Promise<void> {
  await db.update(webhookDeliveries).set(attempted).where(eq(webhookDeliveries.id, id));
}

/** Those that are over and were made before `before`. */
export async function forgetDeliveries(db: Queries, before: Date): Promise<void> {
  await db.delete(webhookDeliveries).where(and(lt(webhookDeliveries.createdAt, before), isNull(webhookDeliveries.nextAttemptAt)));
}

/** A page of the messages to a project's webhook, the newest first; undefined when the project has no such webhook. */
export async function loadDeliveries(
  db: Queries,
  { project, id }: Pick<StoredWebhook, "project" | "id">,
  { limit, after }: { limit: number; after?: number | undefined },
): Promise<Deliveries | undefined> {
  const [webhook] = await db
    .select({ id: webhooks.id })
    .from(webhooks)
    .where(and(eq(webhooks.id, id), eq(webhooks.project, project)));
  if (!webhook) return undefined;
  const rows = await db
    .select()
    .from(webhookDeliveries)
    .where(and(eq(webhookDeliveries.webhook, id), after === undefined ? undefined : lt(webhookDeliveries.id, after)))
    .orderBy(desc(webhookDeliveries.id))
    .limit(limit + 1);
  const { shown, last } = pageOf(rows, limit);
  return { deliveries: shown.map(deliveryViewOf), next: last?.id };
}

export function deliveryViewOf(delivery: StoredDelivery): DeliveryView {
  const { body, attempts, nextAttemptAt, deliveredAt } = delivery;
  return deliveryViewSchema.parse({
    id: messageIdOf(delivery),
    message: JSON.parse(body),
    state: deliveredAt ? "delivered" : nextAttemptAt ? "waiting" : "given-up",
    attempts,
    nextAttemptAt: nextAttemptAt?.toISOString(),
  });
}

/** The same for all attempts: by it a receiver knows a message that it has already. */
export function messageIdOf({ webhook, id }: Pick<StoredDelivery, "webhook" | "id">): string {
  return `${webhook}-${id}`;
}
