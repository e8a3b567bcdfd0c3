import type { Hash } from "./hash.ts";
import { type Hasher, foldSubtrees, rootOf } from "./merkle.ts";
import { portableHasher } from "./portable-hasher.ts";
import { type LeafRange, type Subtree, consistencyRanges, inclusionRanges, subtreesOf } from "./subtree.ts";
import { parseTile, tilePath, tileSliceOf } from "./tile.ts";

/** Fetches the tile at a path such as `tile/0/x001/234.p/7`. Where only the full tile is left, it may answer with that. */
export type TileReader = (path: string) => Promise<Uint8Array>;

/** A tree known by its size and its tiles. Nothing read from the tiles is verified: check roots and proofs against a checkpoint. */
export type TiledTree = { readonly size: number; readonly readTile: TileReader; readonly hasher?: Hasher };

/**
 * Reads the hashes of complete subtrees; each tile once, all of them in parallel.
 *
 * @throws ParseError for a tile of the wrong length
 */
export async function subtreesFromTiles(
  subtrees: readonly Subtree[],
  { size, readTile, hasher = portableHasher }: TiledTree,
): Promise<Hash[]> {
  const slices = subtrees.map((subtree) => tileSliceOf(subtree, size));
  const tiles = new Map(slices.map(({ tile }) => [tilePath(tile), tile]));
  const hashes = new Map<string, readonly Hash[]>();
  await Promise.all(Array.from(tiles, async ([path, tile]) => hashes.set(path, parseTile(tile, await readTile(path)))));
  return slices.map(({ tile, offset, count }) => rootOf((hashes.get(tilePath(tile)) ?? []).slice(offset, offset + count), hasher));
}

/** The hash of one complete subtree. */
export async function hashFromTiles(subtree: Subtree, tree: TiledTree): Promise<Hash> {
  const hashes = await subtreesFromTiles([subtree], tree);
  return foldSubtrees(hashes, tree.hasher);
}

/** The roots of the complete subtrees of the right edge, for `MerkleFrontier.restore`. */
export async function peaksFromTiles(tree: TiledTree): Promise<Hash[]> {
  return await subtreesFromTiles(subtreesOf({ start: 0, end: tree.size }), tree);
}

/** The root of the tree. */
export async function rootFromTiles(tree: TiledTree): Promise<Hash> {
  return foldSubtrees(await peaksFromTiles(tree), tree.hasher);
}

/**
 * The inclusion proof of the leaf at `index`, from the leaf's sibling up.
 *
 * @throws RangeError unless 0 ≤ index < size
 */
export async function inclusionProofFromTiles(index: number, tree: TiledTree): Promise<Hash[]> {
  return await hashesOfRanges(inclusionRanges(index, tree.size), tree);
}

/**
 * The consistency proof from the tree of `oldSize` to this tree.
 *
 * @throws RangeError unless 0 ≤ oldSize ≤ size
 */
export async function consistencyProofFromTiles(oldSize: number, tree: TiledTree): Promise<Hash[]> {
  return await hashesOfRanges(consistencyRanges(oldSize, tree.size), tree);
}

async function hashesOfRanges(ranges: readonly LeafRange[], tree: TiledTree): Promise<Hash[]> {
  const parts = ranges.map(subtreesOf);
  const hashes = await subtreesFromTiles(parts.flat(), tree);
  let offset = 0;
  return parts.map((part) => {
    offset += part.length;
    return foldSubtrees(hashes.slice(offset - part.length, offset), tree.hasher);
  });
}
