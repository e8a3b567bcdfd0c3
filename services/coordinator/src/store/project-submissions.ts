import type { ProjectSubmissions, ProjectView } from "@quorate/protocol/project";
import { parseSha256 } from "@quorate/protocol/digest";
import { submissionRequestSchema } from "@quorate/protocol/submission";
import { and, asc, count, desc, eq, exists, inArray, ne, sql, type SQLWrapper, sum } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { jobs, rounds, submissions, submissionTargets, targets, verdicts } from "../schema.ts";
import { pageOf } from "./page-of.ts";

type SubmissionView = ProjectSubmissions["submissions"][number];

/** A page of what a project has submitted, newest first; `after` is a submission of it, the last of the page before. */
export async function loadProjectSubmissions(
  db: Queries,
  project: string,
  { limit, after, isFailing }: { limit: number; after?: string | undefined; isFailing: boolean },
): Promise<ProjectSubmissions> {
  const last = sql`(select l.submitted_at, l.id from submissions l where l.id = ${after} and l.project = ${project})`;
  const rows = await db
    .select()
    .from(submissions)
    .where(
      and(
        eq(submissions.project, project),
        after === undefined ? undefined : sql`(${submissions.submittedAt}, ${submissions.id}) < ${last}`,
        isFailing ? exists(failingTargetsOf(db)) : undefined,
      ),
    )
    .orderBy(desc(submissions.submittedAt), desc(submissions.id))
    .limit(limit + 1);
  const { shown, last: lastShown } = pageOf(rows, limit);
  const ofSubmission = await loadTargetsOf(
    db,
    shown.map(({ id }) => id),
  );
  return {
    submissions: shown.map(({ id, request, token, submittedAt }) => ({
      id: parseSha256(id),
      request: submissionRequestSchema.parse(request),
      token,
      submittedAt: submittedAt.toISOString(),
      targets: ofSubmission.get(id) ?? [],
    })),
    next: lastShown && parseSha256(lastShown.id),
  };
}

/** A project's targets by what the newest round of each has come to. */
export async function countProjectTargets(db: Queries, project: string): Promise<ProjectView["targets"]> {
  const newest = newestRounds(db, targetsOf(db, project));
  const outcome = sql<keyof ProjectView["targets"]>`coalesce(${newest.outcome}, 'pending')`.as("came_to");
  const rows = await db.select({ outcome, count: count() }).from(newest).groupBy(outcome);
  return Object.fromEntries(rows.map((row) => [row.outcome, row.count]));
}

/** What operators' builds of a project's targets took, as their results state it. */
export async function loadBuilderSeconds(db: Queries, project: string): Promise<number> {
  const [row] = await db
    .select({ seconds: sum(jobs.buildSeconds).mapWith(Number) })
    .from(jobs)
    .innerJoin(rounds, eq(rounds.round, jobs.round))
    .where(inArray(rounds.target, targetsOf(db, project)));
  return row?.seconds ?? 0;
}

function targetsOf(db: Queries, project: string) {
  return db
    .select({ target: submissionTargets.target })
    .from(submissionTargets)
    .innerJoin(submissions, eq(submissions.id, submissionTargets.submission))
    .where(eq(submissions.project, project));
}

/** The newest round of each of the targets, with its verdict. */
function newestRounds(db: Queries, ofTargets: SQLWrapper) {
  return db
    .selectDistinctOn([rounds.target], {
      target: rounds.target,
      round: rounds.round,
      state: rounds.state,
      outcome: verdicts.outcome,
      verdictIndex: verdicts.logIndex,
    })
    .from(rounds)
    .leftJoin(verdicts, eq(verdicts.round, rounds.round))
    .where(inArray(rounds.target, ofTargets))
    .orderBy(asc(rounds.target), desc(rounds.attempt))
    .as("newest");
}

/** Of the submission in the query around it, the targets whose newest round has another verdict than `reproduced`. */
function failingTargetsOf(db: Queries) {
  const isNewest = sql`not exists (select 1 from rounds later where later.target = ${rounds.target} and later.attempt > ${rounds.attempt})`;
  return db
    .select({ one: sql`1` })
    .from(submissionTargets)
    .innerJoin(rounds, eq(rounds.target, submissionTargets.target))
    .innerJoin(verdicts, eq(verdicts.round, rounds.round))
    .where(and(eq(submissionTargets.submission, submissions.id), ne(verdicts.outcome, "reproduced"), isNewest));
}

async function loadTargetsOf(db: Queries, ids: string[]): Promise<Map<string, SubmissionView["targets"]>> {
  if (ids.length === 0) return new Map();
  const ofSubmissions = db
    .select({ target: submissionTargets.target })
    .from(submissionTargets)
    .where(inArray(submissionTargets.submission, ids));
  const newest = newestRounds(db, ofSubmissions);
  const rows = await db
    .select({
      submission: submissionTargets.submission,
      target: submissionTargets.target,
      version: targets.version,
      architecture: targets.architecture,
      round: newest.round,
      state: newest.state,
      outcome: newest.outcome,
      verdictIndex: newest.verdictIndex,
    })
    .from(submissionTargets)
    .innerJoin(targets, eq(targets.digest, submissionTargets.target))
    .innerJoin(newest, eq(newest.target, submissionTargets.target))
    .where(inArray(submissionTargets.submission, ids))
    .orderBy(asc(submissionTargets.position));
  const found = new Map<string, SubmissionView["targets"]>();
  for (const { submission, target, round, outcome, verdictIndex, ...shown } of rows) {
    const view = { ...shown, target: parseSha256(target), round: parseSha256(round) };
    const settled = { outcome: outcome ?? undefined, verdictIndex: verdictIndex ?? undefined };
    found.set(submission, [...(found.get(submission) ?? []), { ...view, ...settled }]);
  }
  return found;
}
