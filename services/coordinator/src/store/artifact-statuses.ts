import type { Target } from "@quorate/protocol/target";
import { sql } from "drizzle-orm";
import type { ArtifactStatement } from "../artifact-statements.ts";
import type { Queries } from "../database.ts";
import { artifactStatuses } from "../schema.ts";
import { loadArtifactIds } from "./published-artifacts.ts";

/** Who says what, by which entry of the log. */
export type Stated = { says: string; entry: number; at: Date; target: Target };

/** Keeps what is said of a target's artifacts, unless the same party has said something newer. */
export async function saveStatuses(db: Queries, stated: Stated, statements: readonly ArtifactStatement[]): Promise<void> {
  const ids = await loadArtifactIds(db, stated.target);
  const rows = statements.flatMap(({ file, status, result, linked }) => {
    const artifact = ids.get(file);
    return artifact === undefined
      ? []
      : [{ says: stated.says, artifact, status, entry: stated.entry, result, linked, statedAt: stated.at }];
  });
  if (rows.length === 0) return;
  await db
    .insert(artifactStatuses)
    .values(rows)
    .onConflictDoUpdate({
      target: [artifactStatuses.says, artifactStatuses.artifact],
      set: {
        status: sql`excluded.status`,
        entry: sql`excluded.entry`,
        result: sql`excluded.result`,
        linked: sql`excluded.linked`,
        statedAt: sql`excluded.stated_at`,
      },
      setWhere: sql`excluded.entry > ${artifactStatuses.entry}`,
    });
}
