import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import type { TreeHead } from "@quorate/protocol/round";
import { type Target, targetDigestOf, targetSchema } from "@quorate/protocol/target";
import { eq, inArray } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { targets } from "../schema.ts";

export type StoredTarget = {
  digest: Sha256;
  target: Target;
  /** Set once the target is in the log. */
  logged?: { index: number; seed: TreeHead } | undefined;
};

export async function saveTarget(db: Queries, target: Target): Promise<Sha256> {
  const digest = targetDigestOf(target);
  const { distribution, suite, source, version, architecture } = target;
  await db
    .insert(targets)
    .values({ digest, target: formatCanonicalJson(target), distribution, suite, source, version, architecture })
    .onConflictDoNothing();
  return digest;
}

export async function saveTargetLogged(db: Queries, digest: Sha256, logged: { index: number; seed: TreeHead }): Promise<void> {
  await db
    .update(targets)
    .set({ logIndex: logged.index, seedSize: logged.seed.size, seedRoot: logged.seed.rootSha256 })
    .where(eq(targets.digest, digest));
}

export async function findTarget(db: Queries, digest: string): Promise<StoredTarget | undefined> {
  const [row] = await db.select().from(targets).where(eq(targets.digest, digest));
  return row && targetOf(row);
}

export async function loadTargets(db: Queries, digests: readonly Sha256[]): Promise<Map<Sha256, StoredTarget>> {
  if (digests.length === 0) return new Map();
  const rows = await db
    .select()
    .from(targets)
    .where(inArray(targets.digest, [...digests]));
  return new Map(rows.map(targetOf).map((target) => [target.digest, target]));
}

function targetOf(row: typeof targets.$inferSelect): StoredTarget {
  const { logIndex, seedSize, seedRoot } = row;
  const logged =
    logIndex === null || seedSize === null || seedRoot === null
      ? undefined
      : { index: logIndex, seed: { size: seedSize, rootSha256: parseSha256(seedRoot) } };
  return { digest: parseSha256(row.digest), target: targetSchema.parse(JSON.parse(row.target)), logged };
}
