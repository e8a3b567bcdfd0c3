import { equalHashes } from "@quorate/tlog/hash";
import { type Hasher, foldSubtrees, verifyConsistency } from "@quorate/tlog/merkle";
import { subtreesOf } from "@quorate/tlog/subtree";
import { type TileReader, consistencyProofFromTiles, subtreesFromTiles } from "@quorate/tlog/tile-proof";
import type { Equivocation } from "@quorate/verdict/equivocation";
import type { SeenCheckpoint } from "./seen-checkpoints.ts";

/**
 * Whether two checkpoints that a log signed contradict each other, with the evidence when they do. `readTile` reads the tiles of the larger.
 *
 * @throws VerificationError when those tiles do not lead to the larger checkpoint's root: then nothing is known of the two
 */
export async function findEquivocation(
  one: SeenCheckpoint,
  other: SeenCheckpoint,
  { readTile, hasher }: { readTile: TileReader; hasher: Hasher },
): Promise<Equivocation | undefined> {
  const [smaller, larger] = one.checkpoint.size <= other.checkpoint.size ? [one, other] : [other, one];
  const { size: oldSize, root: oldRoot } = smaller.checkpoint;
  const { size: newSize, root: newRoot } = larger.checkpoint;
  if (oldSize === newSize) return equalHashes(oldRoot, newRoot) ? undefined : { notes: [smaller.note, larger.note] };
  if (oldSize === 0) return undefined;
  const tree = { readTile, hasher, size: newSize };
  const proof = await consistencyProofFromTiles(oldSize, tree);
  const root = foldSubtrees(await subtreesFromTiles(subtreesOf({ start: 0, end: oldSize }), tree), hasher);
  verifyConsistency({ oldSize, newSize, oldRoot: root, newRoot, proof, hasher });
  return equalHashes(root, oldRoot) ? undefined : { notes: [smaller.note, larger.note], prefix: { root, proof } };
}
