import { and, eq } from "drizzle-orm";
import type { Database, Queries } from "../database.ts";
import { jobs, receivedEnvelopes, rounds } from "../schema.ts";
import { isBeingLogged } from "./operator-statements.ts";
import { lockOperator } from "./operators.ts";

/** An envelope that was admitted and is not known to be in the log. */
export type ReceivedEnvelope = { job: string; kind: "commitment" | "result"; round: string; fence: number; envelope: Uint8Array };

/**
 * Keeps it, unless the round has left the state that it was admitted in: then `false`.
 *
 * @throws Error while the log may know something of the operator that is not known here: then it is to be judged anew
 */
export async function saveReceived(
  db: Database,
  { operator, ...received }: ReceivedEnvelope & { operator: string },
  state: "building" | "revealing",
): Promise<boolean> {
  return db.transaction(async (tx) => {
    await lockOperator(tx, operator, "share");
    if (await isBeingLogged(tx, operator)) {
      throw new Error(`taking the ${received.kind} of job ${received.job}: a statement of operator ${operator} is being logged`);
    }
    // The lock makes whoever moves the round on wait until this envelope can be seen.
    const [round] = await tx.select({ state: rounds.state }).from(rounds).where(eq(rounds.round, received.round)).for("share");
    if (round?.state !== state) return false;
    await tx.insert(receivedEnvelopes).values(received).onConflictDoNothing();
    return true;
  });
}

export async function loadReceived(db: Queries, round: string, kind: ReceivedEnvelope["kind"]): Promise<ReceivedEnvelope[]> {
  return db
    .select()
    .from(receivedEnvelopes)
    .where(and(eq(receivedEnvelopes.round, round), eq(receivedEnvelopes.kind, kind)));
}

export async function loadReceivedOf(db: Queries, operator: string): Promise<ReceivedEnvelope[]> {
  const rows = await db
    .select({ received: receivedEnvelopes })
    .from(receivedEnvelopes)
    .innerJoin(jobs, eq(jobs.job, receivedEnvelopes.job))
    .where(eq(jobs.operator, operator));
  return rows.map(({ received }) => received);
}

export async function deleteReceived(db: Queries, { job, kind }: Pick<ReceivedEnvelope, "job" | "kind">): Promise<void> {
  await db.delete(receivedEnvelopes).where(and(eq(receivedEnvelopes.job, job), eq(receivedEnvelopes.kind, kind)));
}
