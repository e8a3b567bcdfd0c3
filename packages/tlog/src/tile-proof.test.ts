import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Hash } from "./hash.ts";
import { MerkleFrontier, emptyRoot, leafHash, rootOf, verifyConsistency, verifyInclusion } from "./merkle.ts";
import {
  type TiledTree,
  consistencyProofFromTiles,
  hashFromTiles,
  inclusionProofFromTiles,
  peaksFromTiles,
  rootFromTiles,
} from "./tile-proof.ts";
import { formatTile, newTiles, tilePath } from "./tile.ts";

const largest = 70_000;
const leaves = Array.from({ length: largest }, (_, index) => leafHash(Uint8Array.of(index >> 16, (index >> 8) & 255, index & 255)));

/** The hashes of each tile level, as the tree of all leaves has them. */
const levels = levelsOf(leaves);

function levelsOf(hashes: readonly Hash[]): Hash[][] {
  const found: Hash[][] = [];
  const frontier = MerkleFrontier.empty();
  for (const leaf of hashes) {
    frontier.append(leaf, (level, hash) => {
      if (level % 8 === 0) (found[level / 8] ??= []).push(hash);
    });
  }
  return found;
}

/** A log of `size` entries that serves the tiles of that size only. */
function treeOf(size: number): TiledTree & { requests: string[] } {
  const requests: string[] = [];
  const tiles = new Map(Array.from(newTiles(0, size), (tile) => [tilePath(tile), tile] as const));
  const readTile = async (path: string) => {
    requests.push(path);
    const tile = tiles.get(path);
    if (tile === undefined) throw new Error(`no ${path} in a tree of ${size}`);
    return formatTile((levels[Number(tile.level)] ?? []).slice(tile.index * 256, tile.index * 256 + tile.width));
  };
  return { size, readTile, requests };
}

const sizes = fc.oneof(
  fc.integer({ min: 1, max: 70 }),
  fc.constantFrom(255, 256, 257, 65_535, 65_536, 65_537, largest),
  fc.integer({ min: 1, max: largest }),
);

describe("from tiles alone", () => {
  test("the root of a tree is that of its leaves", async () => {
    for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 65_537, largest]) {
      expect(await rootFromTiles(treeOf(size))).toEqual(rootOf(leaves.slice(0, size)));
    }
  });

  test("an inclusion proof verifies, with each tile read once", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(largest - 1), async (size, at) => {
        const tree = treeOf(size);
        const index = at % size;
        const proof = await inclusionProofFromTiles(index, tree);
        expect(new Set(tree.requests).size).toBe(tree.requests.length);
        const root = await rootFromTiles(tree);
        verifyInclusion({ index, size, leaf: leaves[index] ?? emptyRoot, proof, root });
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test("a consistency proof verifies", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(largest), async (newSize, at) => {
        const oldSize = at % (newSize + 1);
        const proof = await consistencyProofFromTiles(oldSize, treeOf(newSize));
        const [oldRoot, newRoot] = [await rootFromTiles(treeOf(oldSize)), await rootFromTiles(treeOf(newSize))];
        expect(verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof })).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test("a frontier goes on", async () => {
    const frontier = MerkleFrontier.restore({ size: 66_000, peaks: await peaksFromTiles(treeOf(66_000)) });
    for (const leaf of leaves.slice(66_000)) frontier.append(leaf);
    expect(frontier.root()).toEqual(await rootFromTiles(treeOf(largest)));
  });

  test("one subtree's hash is that of its leaves", async () => {
    expect(await hashFromTiles({ level: 10, index: 67 }, treeOf(largest))).toEqual(rootOf(leaves.slice(67 * 1024, 68 * 1024)));
  });
});
