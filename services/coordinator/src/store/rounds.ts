import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { type Round, roundSchema } from "@quorate/protocol/round";
import type { RoundState } from "@quorate/protocol/submission";
import { and, asc, count, desc, eq, exists, gt, inArray, isNotNull, isNull, lte, ne, notExists, or, sql } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { jobs, rounds } from "../schema.ts";

export type StoredRound = {
  round: Sha256;
  target: Sha256;
  attempt: number;
  /** Until the committee is drawn, the one that was in force when the round was planned. */
  policy: Sha256;
  state: RoundState;
  /** As last logged, once a committee is drawn. */
  statement?: Round | undefined;
  reason?: string | undefined;
  submittedAt: Date;
  committeeDrawnAt?: Date | undefined;
  commitBy?: Date | undefined;
  revealStartedAt?: Date | undefined;
  revealBy?: Date | undefined;
  settledAt?: Date | undefined;
  /** Steps that failed in a row, and when the next may be tried. */
  failures: number;
  nextTryAt?: Date | undefined;
};

export type PlannedRound = Pick<StoredRound, "round" | "target" | "attempt" | "policy" | "submittedAt">;

export async function saveRound(db: Queries, planned: PlannedRound): Promise<void> {
  await db
    .insert(rounds)
    .values({ ...planned, state: "planned" })
    .onConflictDoNothing();
}

export async function findRound(db: Queries, round: string): Promise<StoredRound | undefined> {
  const [row] = await db.select().from(rounds).where(eq(rounds.round, round));
  return row && roundOf(row);
}

/** The newest attempt for each of the targets that has one. */
export async function loadNewestRounds(db: Queries, targets: readonly string[]): Promise<Map<Sha256, StoredRound>> {
  if (targets.length === 0) return new Map();
  const rows = await db
    .select()
    .from(rounds)
    .where(inArray(rounds.target, [...targets]))
    .orderBy(asc(rounds.attempt));
  return new Map(rows.map(roundOf).map((round) => [round.target, round]));
}

export async function loadRounds(db: Queries, filter: { limit: number; state?: RoundState | undefined }): Promise<StoredRound[]> {
  const rows = await db
    .select()
    .from(rounds)
    .where(filter.state && eq(rounds.state, filter.state))
    .orderBy(desc(rounds.submittedAt), desc(rounds.round))
    .limit(filter.limit);
  return rows.map(roundOf);
}

/**
 * A page of the rounds that a step may have something to do for: all that are not settled, except those waiting after a failure and those whose
 * jobs are with workers that may still be heard of.
 */
export async function loadDueRounds(db: Queries, at: { now: Date; silenceSeconds: number }, after: Sha256 | undefined): Promise<Sha256[]> {
  const { now, silenceSeconds } = at;
  const silentSince = new Date(now.getTime() - silenceSeconds * 1000);
  const uncommitted = db
    .select({ one: sql`1` })
    .from(jobs)
    .where(and(eq(jobs.round, rounds.round), isNull(jobs.committedAt)));
  const needsStep = db
    .select({ one: sql`1` })
    .from(jobs)
    .where(
      and(
        eq(jobs.round, rounds.round),
        isNull(jobs.committedAt),
        or(isNotNull(jobs.outcome), isNull(jobs.publishedAt), lte(jobs.publishedAt, silentSince)),
      ),
    );
  const waitsForWorkers = and(eq(rounds.state, "building"), gt(rounds.commitBy, now), exists(uncommitted), notExists(needsStep));
  const rows = await db
    .select({ round: rounds.round })
    .from(rounds)
    .where(
      and(
        ne(rounds.state, "settled"),
        or(isNull(rounds.nextTryAt), lte(rounds.nextTryAt, now)),
        sql`${waitsForWorkers} is not true`,
        after === undefined ? undefined : gt(rounds.round, after),
      ),
    )
    .orderBy(asc(rounds.round))
    .limit(500);
  return rows.map((row) => parseSha256(row.round));
}

export async function saveCommitteeDrawn(
  db: Queries,
  round: Sha256,
  drawn: { statement: Round; committeeDrawnAt: Date; commitBy: Date },
): Promise<void> {
  const { statement, ...times } = drawn;
  await db
    .update(rounds)
    .set({ state: "building", policy: statement.policy, statement: formatCanonicalJson(statement), ...times, reason: null })
    .where(and(eq(rounds.round, round), eq(rounds.state, "planned")));
}

export async function saveStandInsCalled(db: Queries, round: Sha256, statement: Round): Promise<void> {
  await db
    .update(rounds)
    .set({ statement: formatCanonicalJson(statement) })
    .where(eq(rounds.round, round));
}

export async function saveRevealing(db: Queries, round: Sha256, times: { revealStartedAt: Date; revealBy: Date }): Promise<void> {
  await db
    .update(rounds)
    .set({ state: "revealing", ...times })
    .where(and(eq(rounds.round, round), eq(rounds.state, "building")));
}

export async function saveSettling(db: Queries, round: Sha256): Promise<void> {
  await db
    .update(rounds)
    .set({ state: "settling" })
    .where(and(eq(rounds.round, round), ne(rounds.state, "settled")));
}

export async function saveSettled(db: Queries, round: Sha256, settledAt: Date): Promise<void> {
  await db.update(rounds).set({ state: "settled", settledAt, reason: null }).where(eq(rounds.round, round));
}

/** What people are told while a round does not go on. */
export async function saveReason(db: Queries, round: Sha256, reason: string): Promise<void> {
  await db.update(rounds).set({ reason }).where(eq(rounds.round, round));
}

export async function saveStepFailed(
  db: Queries,
  round: Sha256,
  failed: { failures: number; nextTryAt: Date; reason: string },
): Promise<void> {
  await db.update(rounds).set(failed).where(eq(rounds.round, round));
}

export async function saveStepSucceeded(db: Queries, round: Sha256): Promise<void> {
  await db.update(rounds).set({ failures: 0, nextTryAt: null, reason: null }).where(eq(rounds.round, round));
}

/** Lets a round's step be tried at once; `false` if it is settled. */
export async function saveTryNow(db: Queries, round: string): Promise<boolean> {
  const rows = await db
    .update(rounds)
    .set({ nextTryAt: null })
    .where(and(eq(rounds.round, round), ne(rounds.state, "settled")))
    .returning({ round: rounds.round });
  return rows.length > 0;
}

/** The oldest rounds that are not settled. */
export async function loadUnsettledRounds(db: Queries, limit: number): Promise<StoredRound[]> {
  const rows = await db.select().from(rounds).where(ne(rounds.state, "settled")).orderBy(asc(rounds.submittedAt)).limit(limit);
  return rows.map(roundOf);
}

export async function countRounds(db: Queries): Promise<Partial<Record<RoundState, number>>> {
  const rows = await db.select({ state: rounds.state, count: count() }).from(rounds).groupBy(rounds.state);
  return Object.fromEntries(rows.map((row) => [row.state, row.count]));
}

function roundOf(row: typeof rounds.$inferSelect): StoredRound {
  return {
    round: parseSha256(row.round),
    target: parseSha256(row.target),
    attempt: row.attempt,
    policy: parseSha256(row.policy),
    state: row.state,
    statement: row.statement === null ? undefined : roundSchema.parse(JSON.parse(row.statement)),
    reason: row.reason ?? undefined,
    submittedAt: row.submittedAt,
    committeeDrawnAt: row.committeeDrawnAt ?? undefined,
    commitBy: row.commitBy ?? undefined,
    revealStartedAt: row.revealStartedAt ?? undefined,
    revealBy: row.revealBy ?? undefined,
    settledAt: row.settledAt ?? undefined,
    failures: row.failures,
    nextTryAt: row.nextTryAt ?? undefined,
  };
}
