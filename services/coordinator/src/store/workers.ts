import { operatorIdSchema } from "@quorate/protocol/operator";
import { type Capabilities, capabilitiesSchema, type WorkerView } from "@quorate/protocol/worker";
import { and, asc, count, eq, gt, isNotNull, isNull, or } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { operators, workers } from "../schema.ts";

export type StoredWorker = typeof workers.$inferSelect;

export type Registration = { worker: string; operator: string; name: string; capabilities: Capabilities; expiresAt: Date };

export async function saveWorker(db: Queries, registration: Registration, now: Date): Promise<void> {
  const { worker, operator, name, expiresAt } = registration;
  const changes = { name, capabilities: JSON.stringify(registration.capabilities), expiresAt, renewedAt: now };
  await db
    .insert(workers)
    .values({ worker, operator, registeredAt: now, ...changes })
    .onConflictDoUpdate({ target: workers.worker, set: changes });
}

export async function findWorker(db: Queries, worker: string): Promise<StoredWorker | undefined> {
  const [row] = await db.select().from(workers).where(eq(workers.worker, worker));
  return row;
}

export async function loadWorkers(db: Queries): Promise<StoredWorker[]> {
  return db.select().from(workers).orderBy(asc(workers.registeredAt)).limit(10_000);
}

/** Workers of one operator that are not dismissed. */
export async function countWorkers(db: Queries, operator: string): Promise<number> {
  const [row] = await db
    .select({ count: count() })
    .from(workers)
    .where(and(eq(workers.operator, operator), isNull(workers.dismissedAt)));
  return row?.count ?? 0;
}

export async function saveDismissed(db: Queries, worker: string, now: Date): Promise<void> {
  await db
    .update(workers)
    .set({ dismissedAt: now, revokedBefore: now })
    .where(and(eq(workers.worker, worker), isNull(workers.dismissedAt)));
}

/** Ends the credentials that an operator's workers have; those that are not dismissed may get new ones. */
export async function saveCredentialsRevoked(db: Queries, operator: string, now: Date): Promise<void> {
  await db.update(workers).set({ revokedBefore: now }).where(eq(workers.operator, operator));
}

/** Workers whose credentials the transport must refuse although they have not expired, with the time until which they were issued. */
export async function loadRevokedCredentials(db: Queries, now: Date): Promise<Map<string, Date>> {
  const rows = await db
    .select({ worker: workers.worker, revokedBefore: workers.revokedBefore })
    .from(workers)
    .innerJoin(operators, eq(operators.operator, workers.operator))
    .where(and(gt(workers.expiresAt, now), or(isNotNull(workers.revokedBefore), isNotNull(operators.revokedIndex))));
  return new Map(rows.map(({ worker, revokedBefore }) => [worker, revokedBefore ?? now]));
}

export function workerViewOf(row: StoredWorker, now: Date): WorkerView {
  return {
    worker: row.worker,
    operator: operatorIdSchema.parse(row.operator),
    name: row.name,
    capabilities: capabilitiesSchema.parse(JSON.parse(row.capabilities)),
    registeredAt: row.registeredAt.toISOString(),
    renewedAt: row.renewedAt.toISOString(),
    state: row.dismissedAt ? "dismissed" : row.expiresAt <= now ? "expired" : "registered",
  };
}
