import type { Sha256 } from "@quorate/protocol/digest";
import type { Target } from "@quorate/protocol/target";
import { and, eq, inArray, sql } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { publishedArtifacts, publishedSources } from "../schema.ts";

/** What a target's distribution published: each source and each package file once, however many targets name it. */
export async function savePublished(db: Queries, targets: readonly Target[], seenAt: Date): Promise<void> {
  const sources = new Map(targets.map((target) => [sourceKeyOf(target), target]));
  if (sources.size === 0) return;
  const saved = await db
    .insert(publishedSources)
    .values([...sources.values()].map((target) => ({ ...sourceOf(target), component: target.component, seenAt })))
    .onConflictDoUpdate({
      target: [publishedSources.distribution, publishedSources.suite, publishedSources.name, publishedSources.version],
      set: { seenAt: sql`greatest(${publishedSources.seenAt}, excluded.seen_at)` },
    })
    .returning();
  const ids = new Map(saved.map((source) => [keyOf(source), source.id]));
  const artifacts = targets.flatMap((target) => {
    const source = ids.get(sourceKeyOf(target));
    if (source === undefined) throw new Error(`saving what was published: the source ${sourceKeyOf(target)} was not saved`);
    return target.artifacts.map(({ sizeBytes: _size, ...artifact }) => ({ ...artifact, source }));
  });
  await db.insert(publishedArtifacts).values(artifacts).onConflictDoNothing();
}

/** The number of each of a target's artifacts, by file name. */
export async function loadArtifactIds(db: Queries, target: Target): Promise<Map<string, number>> {
  const source = sourceOf(target);
  const rows = await db
    .select({ id: publishedArtifacts.id, file: publishedArtifacts.file, sha256: publishedArtifacts.sha256 })
    .from(publishedArtifacts)
    .innerJoin(publishedSources, eq(publishedSources.id, publishedArtifacts.source))
    .where(
      and(
        eq(publishedSources.distribution, source.distribution),
        eq(publishedSources.suite, source.suite),
        eq(publishedSources.name, source.name),
        eq(publishedSources.version, source.version),
        inArray(
          publishedArtifacts.file,
          target.artifacts.map(({ file }) => file),
        ),
      ),
    );
  const references = new Map<string, Sha256>(target.artifacts.map(({ file, sha256 }) => [file, sha256]));
  return new Map(rows.filter(({ file, sha256 }) => references.get(file) === sha256).map(({ file, id }) => [file, id]));
}

function sourceOf({ distribution, suite, source: name, version }: Target) {
  return { distribution, suite, name, version };
}

const sourceKeyOf = (target: Target): string => keyOf(sourceOf(target));

function keyOf(source: ReturnType<typeof sourceOf>): string {
  return `${source.distribution}/${source.suite} ${source.name} ${source.version}`;
}
