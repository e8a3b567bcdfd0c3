import type { ArtifactView } from "@quorate/protocol/artifact-view";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import type { Target } from "@quorate/protocol/target";
import { type Verdict, type VerdictOutcome, verdictSchema } from "@quorate/protocol/verdict";
import { and, count, desc, eq, inArray } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { verdictArtifacts, verdicts } from "../schema.ts";

export type StoredVerdict = { verdict: Verdict; index: number };

/** The verdict, and one row for each digest that it speaks of. */
export async function saveVerdict(db: Queries, settled: StoredVerdict, target: Target): Promise<void> {
  const { verdict, index } = settled;
  await db
    .insert(verdicts)
    .values({ round: verdict.round, target: verdict.target, outcome: verdict.outcome, verdict: JSON.stringify(verdict), logIndex: index })
    .onConflictDoNothing();
  await db.insert(verdictArtifacts).values(artifactRowsOf(settled, target)).onConflictDoNothing();
}

export async function loadVerdicts(db: Queries, rounds: readonly Sha256[]): Promise<Map<Sha256, StoredVerdict>> {
  if (rounds.length === 0) return new Map();
  const rows = await db
    .select()
    .from(verdicts)
    .where(inArray(verdicts.round, [...rounds]));
  return new Map(rows.map((row) => [parseSha256(row.round), verdictOf(row)]));
}

/** The newest verdict of a target: what a later one supersedes. */
export async function findNewestVerdict(db: Queries, target: Sha256): Promise<StoredVerdict | undefined> {
  const [row] = await db.select().from(verdicts).where(eq(verdicts.target, target)).orderBy(desc(verdicts.logIndex)).limit(1);
  return row && verdictOf(row);
}

/** Targets with a verdict that may say only that something got in the way, the newest first; some have another verdict since. */
export async function loadTargetsWithoutStanding(db: Queries, limit: number): Promise<Sha256[]> {
  const rows = await db
    .select({ target: verdicts.target })
    .from(verdicts)
    .where(inArray(verdicts.outcome, ["inconclusive", "failed"]))
    .orderBy(desc(verdicts.logIndex))
    .limit(limit);
  return [...new Set(rows.map(({ target }) => parseSha256(target)))];
}

/** Newest verdict first. */
export async function loadArtifacts(
  db: Queries,
  query: { name?: string | undefined; version?: string | undefined; architecture?: string | undefined; limit: number },
): Promise<ArtifactView[]> {
  const { name, version, architecture } = query;
  const rows = await db
    .select()
    .from(verdictArtifacts)
    .where(
      and(
        eq(verdictArtifacts.published, true),
        name === undefined ? undefined : eq(verdictArtifacts.package, name),
        version === undefined ? undefined : eq(verdictArtifacts.version, version),
        architecture === undefined ? undefined : eq(verdictArtifacts.architecture, architecture),
      ),
    )
    .orderBy(desc(verdictArtifacts.verdictIndex))
    .limit(query.limit);
  return rows.map(artifactOf);
}

/** What the newest verdict says that knows this digest, as published or as built. */
export async function findArtifact(db: Queries, sha256: string): Promise<ArtifactView | undefined> {
  const [row] = await db
    .select()
    .from(verdictArtifacts)
    .where(eq(verdictArtifacts.sha256, sha256))
    .orderBy(desc(verdictArtifacts.published), desc(verdictArtifacts.verdictIndex))
    .limit(1);
  return row && artifactOf(row);
}

export async function countVerdicts(db: Queries): Promise<Partial<Record<VerdictOutcome, number>>> {
  const rows = await db.select({ outcome: verdicts.outcome, count: count() }).from(verdicts).groupBy(verdicts.outcome);
  return Object.fromEntries(rows.map((row) => [row.outcome, row.count]));
}

export function artifactRowsOf({ verdict, index }: StoredVerdict, target: Target): (typeof verdictArtifacts.$inferInsert)[] {
  return target.artifacts.flatMap((artifact) => {
    const said = verdict.artifacts.find(({ file }) => file === artifact.file);
    const digests = new Set([artifact.sha256, ...(said?.digests ?? []).map(({ sha256 }) => sha256)]);
    return [...digests].map((sha256) => ({
      verdictIndex: index,
      file: artifact.file,
      sha256,
      published: sha256 === artifact.sha256,
      target: verdict.target,
      round: verdict.round,
      package: artifact.package,
      version: artifact.version,
      architecture: artifact.architecture,
      outcome: said?.outcome ?? verdict.outcome,
    }));
  });
}

function verdictOf(row: typeof verdicts.$inferSelect): StoredVerdict {
  return { verdict: verdictSchema.parse(JSON.parse(row.verdict)), index: row.logIndex };
}

function artifactOf(row: typeof verdictArtifacts.$inferSelect): ArtifactView {
  return {
    sha256: parseSha256(row.sha256),
    file: row.file,
    package: row.package,
    version: row.version,
    architecture: row.architecture,
    target: parseSha256(row.target),
    round: parseSha256(row.round),
    outcome: row.outcome,
    verdictIndex: row.verdictIndex,
  };
}
