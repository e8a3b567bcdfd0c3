import { and, eq } from "drizzle-orm";
import type { Database, Queries } from "../database.ts";
import { receivedEnvelopes, rounds } from "../schema.ts";

/** An envelope that was admitted and is not known to be in the log. */
export type ReceivedEnvelope = { job: string; kind: "commitment" | "result"; round: string; fence: number; envelope: Uint8Array };

/** Keeps it, unless the round has left the state that it was admitted in: then `false`. */
export async function saveReceived(db: Database, received: ReceivedEnvelope, state: "building" | "revealing"): Promise<boolean> {
  return db.transaction(async (tx) => {
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

export async function deleteReceived(db: Queries, { job, kind }: Pick<ReceivedEnvelope, "job" | "kind">): Promise<void> {
  await db.delete(receivedEnvelopes).where(and(eq(receivedEnvelopes.job, job), eq(receivedEnvelopes.kind, kind)));
}
