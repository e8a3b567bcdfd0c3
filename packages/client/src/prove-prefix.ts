import type { Checkpoint } from "@quorate/tlog/checkpoint";
import type { Hash } from "@quorate/tlog/hash";
import { type Hasher, foldSubtrees, verifyConsistency } from "@quorate/tlog/merkle";
import { subtreesOf } from "@quorate/tlog/subtree";
import { type TileReader, consistencyProofFromTiles, subtreesFromTiles } from "@quorate/tlog/tile-proof";

/**
 * The root that a checkpoint's tree has at a smaller size, which is not 0, with the consistency proof that shows it. `readTile` reads tiles of
 * the checkpoint's tree.
 *
 * @throws VerificationError when those tiles do not lead to the checkpoint's root: then nothing is known of the smaller size
 */
export async function provePrefix(
  oldSize: number,
  { size: newSize, root: newRoot }: Pick<Checkpoint, "size" | "root">,
  { readTile, hasher }: { readTile: TileReader; hasher: Hasher },
): Promise<{ root: Hash; proof: Hash[] }> {
  const tree = { readTile, hasher, size: newSize };
  const proof = await consistencyProofFromTiles(oldSize, tree);
  const root = foldSubtrees(await subtreesFromTiles(subtreesOf({ start: 0, end: oldSize }), tree), hasher);
  verifyConsistency({ oldSize, newSize, oldRoot: root, newRoot, proof, hasher });
  return { root, proof };
}
