import type { Hash } from "@quorate/tlog/hash";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import { portableHasher as hasher } from "@quorate/tlog/portable-hasher";
import { tileWidth } from "@quorate/tlog/tile";
import { expect, test } from "vitest";
import { RecentTree } from "./recent-tree.ts";

/** Of more tiles than stay in memory. */
const size = 258 * tileWidth + 3;
const leaves = Array.from({ length: size }, (_, index) => leafHash(Uint8Array.of(index & 255, index >> 8, index >> 16)));
const loaded: number[] = [];
const loadLeaves = async (tile: number): Promise<Hash[]> => {
  loaded.push(tile);
  return leaves.slice(tile * tileWidth, (tile + 1) * tileWidth);
};
const tree = new RecentTree(hasher, loadLeaves);
for (const leaf of leaves) tree.append(leaf);

test.each([0, 1, 255, 256, 257, 511, 512, 700, 40_000, size - 3, size - 1, size])("knows the root of size %i", async (at) => {
  expect(await tree.rootAt(at)).toEqual(rootOf(leaves.slice(0, at)));
});

test("reads the leaves of old tiles again, and of no others", async () => {
  loaded.splice(0);
  for (const at of [3 * tileWidth + 1, 100, size - 1, tileWidth]) await tree.rootAt(at);
  expect(loaded).toEqual([0]);
});

test("is the same again from the roots of its tiles and its last leaves", async () => {
  const tileRoots = Array.from({ length: 258 }, (_, tile) => rootOf(leaves.slice(tile * tileWidth, (tile + 1) * tileWidth)));
  const restored = RecentTree.restore({ hasher, loadLeaves, tileRoots, leaves: leaves.slice(258 * tileWidth) });
  expect(restored.size).toBe(size);
  for (const at of [100, 30_001, size]) expect(await restored.rootAt(at)).toEqual(rootOf(leaves.slice(0, at)));
});

test("refuses leaves that are not those that it had, and sizes that it never had", async () => {
  const other = RecentTree.restore({
    hasher,
    loadLeaves: async (tile) => (await loadLeaves(tile)).toReversed(),
    tileRoots: [rootOf(leaves.slice(0, tileWidth))],
    leaves: [],
  });
  await expect(other.rootAt(5)).rejects.toThrow(/tile 0 of the log, read again, does not have the leaves/);
  await expect(tree.rootAt(size + 1)).rejects.toThrow(RangeError);
});
