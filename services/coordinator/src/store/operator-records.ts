import { parseSha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import type { OperatorRecord } from "@quorate/protocol/operator-record";
import type { Verdict } from "@quorate/protocol/verdict";
import { and, desc, eq, sql } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { isException, jobs, rounds } from "../schema.ts";

/** Notes with each job of a round how its verdict took the result. */
export async function saveStandings(db: Queries, { round, inputs, dissent }: Verdict): Promise<void> {
  for (const { operator, standing, index } of inputs) {
    await db
      .update(jobs)
      .set({ standing, dissents: dissent.includes(operator) })
      .where(and(eq(jobs.round, round), eq(jobs.operator, operator), eq(jobs.resultIndex, index)));
  }
}

export async function loadOperatorRecord(db: Queries, operator: OperatorId): Promise<OperatorRecord> {
  const [[record], exceptions] = await Promise.all([
    db.select(recordColumns).from(jobs).innerJoin(rounds, settledRoundOfJob).where(eq(jobs.operator, operator)),
    loadExceptions(db, operator),
  ]);
  return { operator, ...(record ?? noRecord), exceptions };
}

const settledRoundOfJob = and(eq(rounds.round, jobs.round), eq(rounds.state, "settled"));
const isUnrevealed = sql`${jobs.committedAt} is not null and ${jobs.resultIndex} is null`;
const counted = (condition: ReturnType<typeof sql>) => sql`count(*) filter (where ${condition})`.mapWith(Number);

const recordColumns = {
  counted: counted(sql`${jobs.standing} = 'counted'`),
  dissenting: counted(sql`${jobs.dissents}`),
  notCounted: counted(sql`${jobs.standing} <> 'counted'`),
  unrevealed: counted(isUnrevealed),
  declined: counted(sql`${jobs.outcome} = 'declined'`),
};

const noRecord = { counted: 0, dissenting: 0, notCounted: 0, unrevealed: 0, declined: 0 };

async function loadExceptions(db: Queries, operator: string): Promise<OperatorRecord["exceptions"]> {
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
