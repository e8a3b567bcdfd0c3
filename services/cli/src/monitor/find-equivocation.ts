import { provePrefix } from "@quorate/client/prove-prefix";
import { equalHashes } from "@quorate/tlog/hash";
import type { Hasher } from "@quorate/tlog/merkle";
import type { TileReader } from "@quorate/tlog/tile-proof";
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
  tiles: { readTile: TileReader; hasher: Hasher },
): Promise<Equivocation | undefined> {
  const [smaller, larger] = one.checkpoint.size <= other.checkpoint.size ? [one, other] : [other, one];
  const { size, root } = smaller.checkpoint;
  const notes = [smaller.note, larger.note] as const;
  if (size === larger.checkpoint.size) return equalHashes(root, larger.checkpoint.root) ? undefined : { notes };
  if (size === 0) return undefined;
  const prefix = await provePrefix(size, larger.checkpoint, tiles);
  return equalHashes(prefix.root, root) ? undefined : { notes, prefix };
}
