import { parseSha256 } from "@quorate/protocol/digest";
import type { OperatorPage, OperatorRecord, OperatorView } from "@quorate/protocol/operator-view";
import { enrolmentSchema } from "@quorate/protocol/operator";
import type { Verdict } from "@quorate/protocol/verdict";
import { and, asc, desc, eq, sql } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { isException, jobs, operators, rounds } from "../schema.ts";

/** Notes with each job of a round how its verdict took the result. */
export async function saveStandings(db: Queries, { round, inputs, dissent }: Verdict): Promise<void> {
  for (const { operator, standing, index } of inputs) {
    await db
      .update(jobs)
      .set({ standing, dissents: dissent.includes(operator) })
      .where(and(eq(jobs.round, round), eq(jobs.operator, operator), eq(jobs.resultIndex, index)));
  }
}

/** All that ever enrolled, the revoked included, in log order, with their records. */
export async function loadOperatorViews(db: Queries): Promise<OperatorView[]> {
  const [rows, records] = await Promise.all([
    db.select().from(operators).orderBy(asc(operators.enrolledIndex)),
    db.select(recordColumns).from(jobs).innerJoin(rounds, settledRoundOfJob).groupBy(jobs.operator),
  ]);
  const byOperator = new Map(records.map(({ operator, ...record }) => [operator, record]));
  return rows.map((row) => viewOf(row, byOperator.get(row.operator)));
}

export async function findOperatorPage(db: Queries, operator: string): Promise<OperatorPage | undefined> {
  const [row] = await db.select().from(operators).where(eq(operators.operator, operator));
  if (!row) return undefined;
  const [[record], exceptions] = await Promise.all([
    db.select(recordColumns).from(jobs).innerJoin(rounds, settledRoundOfJob).where(eq(jobs.operator, operator)).groupBy(jobs.operator),
    loadExceptions(db, operator),
  ]);
  return { ...viewOf(row, record), exceptions };
}

const settledRoundOfJob = and(eq(rounds.round, jobs.round), eq(rounds.state, "settled"));
const isUnrevealed = sql`${jobs.committedAt} is not null and ${jobs.resultIndex} is null`;
const counted = (condition: ReturnType<typeof sql>) => sql`count(*) filter (where ${condition})`.mapWith(Number);

const recordColumns = {
  operator: jobs.operator,
  counted: counted(sql`${jobs.standing} = 'counted'`),
  dissenting: counted(sql`${jobs.dissents}`),
  notCounted: counted(sql`${jobs.standing} <> 'counted'`),
  unrevealed: counted(isUnrevealed),
  declined: counted(sql`${jobs.outcome} = 'declined'`),
};

const noRecord: OperatorRecord = { counted: 0, dissenting: 0, notCounted: 0, unrevealed: 0, declined: 0 };

async function loadExceptions(db: Queries, operator: string): Promise<OperatorPage["exceptions"]> {
  const rows = await db
    .select({ round: jobs.round, dissents: jobs.dissents, standing: jobs.standing })
    .from(jobs)
    .innerJoin(rounds, settledRoundOfJob)
    .where(and(eq(jobs.operator, operator), isException(jobs)))
    .orderBy(desc(jobs.createdAt))
    .limit(50);
  return rows.map(({ round, dissents, standing }) => ({
    round: parseSha256(round),
    kind: dissents ? "dissenting" : standing === null ? "unrevealed" : "not-counted",
  }));
}

function viewOf(row: typeof operators.$inferSelect, record: Partial<OperatorRecord> = {}): OperatorView {
  const { action: _action, identityKey: _identityKey, linkKey: _linkKey, ...enrolment } = enrolmentSchema.parse(JSON.parse(row.enrolment));
  const { counted, dissenting, notCounted, unrevealed, declined } = { ...noRecord, ...record };
  return {
    ...enrolment,
    enrolledIndex: row.enrolledIndex,
    enrolledAt: row.enrolledAt.toISOString(),
    revokedIndex: row.revokedIndex ?? undefined,
    record: { counted, dissenting, notCounted, unrevealed, declined },
  };
}
