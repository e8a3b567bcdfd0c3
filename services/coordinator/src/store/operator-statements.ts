import { and, asc, count, eq, lt } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { operatorStatements } from "../schema.ts";

/** An operator's statement on its way to the log. */
export type OperatorStatement = typeof operatorStatements.$inferSelect;

/** Idempotent: what is pending, refused or being logged stays as it is. */
export async function savePending(
  db: Queries,
  statement: Pick<OperatorStatement, "key" | "operator" | "envelope">,
  now: Date,
): Promise<void> {
  await db
    .insert(operatorStatements)
    .values({ ...statement, state: "pending", receivedAt: now })
    .onConflictDoNothing();
}

/** From now on it may be in the log. */
export async function saveLogging(
  db: Queries,
  statement: Pick<OperatorStatement, "key" | "operator" | "envelope">,
  now: Date,
): Promise<void> {
  const { envelope } = statement;
  await db
    .insert(operatorStatements)
    .values({ ...statement, state: "logging", receivedAt: now })
    .onConflictDoUpdate({ target: operatorStatements.key, set: { state: "logging", envelope, reason: null } });
}

export async function saveRefused(db: Queries, key: string, reason: string): Promise<void> {
  const isPending = and(eq(operatorStatements.key, key), eq(operatorStatements.state, "pending"));
  await db.update(operatorStatements).set({ state: "refused", reason }).where(isPending);
}

export async function findStatement(db: Queries, key: string): Promise<OperatorStatement | undefined> {
  const [row] = await db.select().from(operatorStatements).where(eq(operatorStatements.key, key));
  return row;
}

export async function loadStatements(db: Queries, state: OperatorStatement["state"]): Promise<OperatorStatement[]> {
  return db.select().from(operatorStatements).where(eq(operatorStatements.state, state)).orderBy(asc(operatorStatements.receivedAt));
}

export async function countPending(db: Queries): Promise<number> {
  const [row] = await db.select({ count: count() }).from(operatorStatements).where(eq(operatorStatements.state, "pending"));
  return row?.count ?? 0;
}

/** Whether a statement of this operator may be in the log without being known here. */
export async function isBeingLogged(db: Queries, operator: string): Promise<boolean> {
  const ofOperator = and(eq(operatorStatements.operator, operator), eq(operatorStatements.state, "logging"));
  const [row] = await db.select({ count: count() }).from(operatorStatements).where(ofOperator);
  return (row?.count ?? 0) > 0;
}

/** @returns `false` if it was gone already */
export async function deleteStatement(db: Queries, key: string): Promise<boolean> {
  const deleted = await db.delete(operatorStatements).where(eq(operatorStatements.key, key)).returning({ key: operatorStatements.key });
  return deleted.length > 0;
}

/** What nobody has decided on, and what was refused, is forgotten after a while: it may be asked again. */
export async function deleteOldStatements(db: Queries, before: Date): Promise<void> {
  for (const state of ["pending", "refused"] as const) {
    await db.delete(operatorStatements).where(and(eq(operatorStatements.state, state), lt(operatorStatements.receivedAt, before)));
  }
}
