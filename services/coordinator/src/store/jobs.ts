import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { jobIdOf } from "@quorate/protocol/job";
import { type OperatorId, operatorIdSchema } from "@quorate/protocol/operator";
import { and, asc, desc, eq, inArray, isNotNull, isNull, lte, or, sql } from "drizzle-orm";
import type { PastBuild } from "../estimate.ts";
import type { Queries } from "../database.ts";
import { jobs, rounds, targets } from "../schema.ts";
import { lockOperator } from "./operators.ts";

export type StoredJob = {
  job: string;
  round: Sha256;
  operator: OperatorId;
  rank: number;
  baseFence: number;
  publishedAt?: Date | undefined;
  fence: number;
  startedAt?: Date | undefined;
  committedAt?: Date | undefined;
  committedEnvelope?: Sha256 | undefined;
  revealedAt?: Date | undefined;
  resultIndex?: number | undefined;
  outcome?: "built" | "failed" | "declined" | undefined;
  remark?: string | undefined;
};

export async function saveJobs(
  db: Queries,
  round: Sha256,
  members: readonly { operator: OperatorId; rank: number }[],
  now: Date,
): Promise<void> {
  if (members.length === 0) return;
  await db
    .insert(jobs)
    .values(members.map(({ operator, rank }) => ({ job: jobIdOf(round, operator), round, operator, rank, createdAt: now })))
    .onConflictDoNothing();
}

export async function findJob(db: Queries, job: string): Promise<StoredJob | undefined> {
  const [row] = await db.select().from(jobs).where(eq(jobs.job, job));
  return row && jobOf(row);
}

/** The jobs of the rounds, in rank order. */
export async function loadJobs(db: Queries, ofRounds: readonly Sha256[]): Promise<StoredJob[]> {
  if (ofRounds.length === 0) return [];
  const rows = await db
    .select()
    .from(jobs)
    .where(inArray(jobs.round, [...ofRounds]))
    .orderBy(asc(jobs.rank));
  return rows.map(jobOf);
}

export async function saveJobPublished(db: Queries, job: string, now: Date): Promise<void> {
  await db.update(jobs).set({ publishedAt: now }).where(eq(jobs.job, job));
}

/**
 * Makes every job that is not through be published again, with fences beyond any delivery of the message that was lost:
 * for when the transport has lost its store.
 */
export async function saveJobsUnpublished(db: Queries): Promise<number> {
  const unsettled = db.select({ round: rounds.round }).from(rounds).where(eq(rounds.state, "building"));
  const rows = await db
    .update(jobs)
    .set({ publishedAt: null, baseFence: sql`greatest(${jobs.fence}, ${jobs.baseFence}) + 1000` })
    .where(and(inArray(jobs.round, unsettled), isNull(jobs.commitmentIndex), isNull(jobs.outcome), isNotNull(jobs.publishedAt)))
    .returning({ job: jobs.job });
  return rows.length;
}

export async function saveStarted(db: Queries, job: string, fence: number, now: Date): Promise<void> {
  await db
    .update(jobs)
    .set({ fence, startedAt: sql`coalesce(${jobs.startedAt}, ${now})` })
    .where(and(eq(jobs.job, job), lte(jobs.fence, fence)));
}

export async function saveCommitted(
  db: Queries,
  job: string,
  committed: { fence: number; committedAt: Date; commitmentIndex: number; committedEnvelope: Sha256 },
): Promise<void> {
  await db
    .update(jobs)
    .set({ ...committed, startedAt: sql`coalesce(${jobs.startedAt}, ${committed.committedAt})` })
    .where(and(eq(jobs.job, job), isNull(jobs.commitmentIndex)));
}

export async function saveRevealed(
  db: Queries,
  job: string,
  revealed: { revealedAt: Date; resultIndex: number; recordIndex: number | undefined; outcome: "built" | "failed"; buildSeconds: number },
): Promise<void> {
  await db
    .update(jobs)
    .set(revealed)
    .where(and(eq(jobs.job, job), isNull(jobs.resultIndex)));
}

export async function saveDeclined(db: Queries, job: string, remark: string): Promise<void> {
  await db.update(jobs).set({ outcome: "declined", remark }).where(eq(jobs.job, job));
}

/** How much may be uploaded: for one job, and for all jobs that an operator was given since a time. */
export type UploadLimits = { job: number; operator: number; since: Date };

/** Takes `bytes` from what may be uploaded for a job; `false` when that would be more than a limit. */
export async function reserveUpload(
  db: Queries,
  { job, operator }: Pick<StoredJob, "job" | "operator">,
  { bytes, limits }: { bytes: number; limits: UploadLimits },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    // Each sees what those before it took.
    await lockOperator(tx, operator, "update");
    return takeUpload(tx, job, { bytes, limits });
  });
}

async function takeUpload(tx: Queries, job: string, { bytes, limits }: { bytes: number; limits: UploadLimits }): Promise<boolean> {
  const ofOperator = sql`(select coalesce(sum(other.uploaded_bytes), 0) from jobs other
    where other.operator = ${jobs.operator} and other.created_at >= ${limits.since})`;
  const rows = await tx
    .update(jobs)
    .set({ uploadedBytes: sql`${jobs.uploadedBytes} + ${bytes}` })
    .where(
      and(eq(jobs.job, job), lte(sql`${jobs.uploadedBytes} + ${bytes}`, limits.job), lte(sql`${ofOperator} + ${bytes}`, limits.operator)),
    )
    .returning({ job: jobs.job });
  return rows.length > 0;
}

/** Seconds of earlier builds that came to an end, newest first: what an estimate is made from. */
export async function loadBuildHistory(
  db: Queries,
  of: { operators: readonly string[]; sources: readonly string[] },
): Promise<PastBuild[]> {
  const rows = await db
    .select({ operator: jobs.operator, source: targets.source, seconds: jobs.buildSeconds })
    .from(jobs)
    .innerJoin(rounds, eq(rounds.round, jobs.round))
    .innerJoin(targets, eq(targets.digest, rounds.target))
    .where(
      and(
        or(inArray(jobs.operator, [...of.operators]), inArray(targets.source, [...of.sources])),
        eq(jobs.outcome, "built"),
        isNotNull(jobs.buildSeconds),
      ),
    )
    .orderBy(desc(jobs.revealedAt))
    .limit(500);
  return rows.map((row) => ({ ...row, seconds: row.seconds ?? 0 }));
}

function jobOf(row: typeof jobs.$inferSelect): StoredJob {
  return {
    job: row.job,
    round: parseSha256(row.round),
    operator: operatorIdSchema.parse(row.operator),
    rank: row.rank,
    baseFence: row.baseFence,
    publishedAt: row.publishedAt ?? undefined,
    fence: row.fence,
    startedAt: row.startedAt ?? undefined,
    committedAt: row.committedAt ?? undefined,
    committedEnvelope: row.committedEnvelope === null ? undefined : parseSha256(row.committedEnvelope),
    revealedAt: row.revealedAt ?? undefined,
    resultIndex: row.resultIndex ?? undefined,
    outcome: row.outcome ?? undefined,
    remark: row.remark ?? undefined,
  };
}
