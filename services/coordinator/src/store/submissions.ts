import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { type SubmissionRequest, submissionRequestSchema } from "@quorate/protocol/submission";
import { and, asc, count, eq, gt, min } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { submissions, submissionTargets } from "../schema.ts";

export type StoredSubmission = { id: Sha256; request: SubmissionRequest; targets: Sha256[] };

/** `false` when it was there already. */
export async function saveSubmission(
  db: Queries,
  submission: StoredSubmission,
  from: { project: string; token: string; now: Date },
): Promise<boolean> {
  const { id, request, targets } = submission;
  const created = await db
    .insert(submissions)
    .values({ id, request, project: from.project, token: from.token, submittedAt: from.now })
    .onConflictDoNothing()
    .returning({ id: submissions.id });
  if (created.length === 0) return false;
  await db.insert(submissionTargets).values(targets.map((target, position) => ({ submission: id, target, position })));
  return true;
}

export async function findSubmission(db: Queries, id: string): Promise<StoredSubmission | undefined> {
  const [row] = await db.select().from(submissions).where(eq(submissions.id, id));
  if (!row) return undefined;
  const rows = await db
    .select({ target: submissionTargets.target })
    .from(submissionTargets)
    .where(eq(submissionTargets.submission, id))
    .orderBy(asc(submissionTargets.position));
  return {
    id: parseSha256(row.id),
    request: submissionRequestSchema.parse(row.request),
    targets: rows.map(({ target }) => parseSha256(target)),
  };
}

export const dayMilliseconds = 86_400_000;

/** What a project has submitted in the last 24 hours, with all of its tokens. */
export async function loadDayOf(db: Queries, project: string, now: Date): Promise<{ targets: number; firstAt: Date | undefined }> {
  const [row] = await db
    .select({ targets: count(), firstAt: min(submissions.submittedAt) })
    .from(submissions)
    .innerJoin(submissionTargets, eq(submissionTargets.submission, submissions.id))
    .where(and(eq(submissions.project, project), gt(submissions.submittedAt, new Date(now.getTime() - dayMilliseconds))));
  return { targets: row?.targets ?? 0, firstAt: row?.firstAt ?? undefined };
}

export async function countSubmissions(db: Queries, project: string): Promise<number> {
  const [row] = await db.select({ count: count() }).from(submissions).where(eq(submissions.project, project));
  return row?.count ?? 0;
}
