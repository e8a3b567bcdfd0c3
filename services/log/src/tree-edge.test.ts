import fc from "fast-check";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { parseEntryBundle } from "@quorate/tlog/entry-bundle";
import { formatHash } from "@quorate/tlog/hash";
import { rootOf } from "@quorate/tlog/merkle";
import { newEntryBundles, newTiles, tilePath } from "@quorate/tlog/tile";
import { rootFromTiles } from "@quorate/tlog/tile-proof";
import { expect, test } from "vitest";
import { TreeEdge } from "./tree-edge.ts";

const entries = Array.from({ length: 70_000 }, (_, index) => {
  const bytes = Uint8Array.of(index >> 16, (index >> 8) & 255, index & 255);
  return { bytes, leafHash: nodeHasher.leaf(bytes) };
});

test("grown in any batches, it writes exactly the tiles that are new, and they make the tree", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 12 }), async (batches) => {
      const edge = TreeEdge.empty(nodeHasher);
      const files = new Map<string, Uint8Array>();
      for (const count of batches) {
        const oldSize = edge.size;
        const written = edge.grow(entries.slice(oldSize, oldSize + count));
        const expected = [...newTiles(oldSize, edge.size), ...newEntryBundles(oldSize, edge.size)].map(tilePath);
        expect(written.map(({ path }) => path).sort()).toEqual(expected.sort());
        for (const { path, bytes } of written) files.set(path, bytes);
      }
      const leaves = entries.slice(0, edge.size).map(({ leafHash }) => leafHash);
      expect(formatHash(edge.root())).toBe(formatHash(rootOf(leaves, nodeHasher)));
      const readTile = async (path: string) => files.get(path) ?? new Uint8Array(0);
      expect(formatHash(await rootFromTiles({ size: edge.size, readTile }))).toBe(formatHash(edge.root()));
    }),
    { numRuns: 40 },
  );
});

test("a tree of 70,000 has the tiles of the specification's example", () => {
  const edge = TreeEdge.empty(nodeHasher);
  const paths = edge.grow(entries).map(({ path }) => path);
  const level = (name: string) => paths.filter((path) => path.startsWith(`tile/${name}/`));
  expect([level("0").length, level("0").at(-1)]).toEqual([274, "tile/0/273.p/112"]);
  expect(level("1")).toEqual(["tile/1/000", "tile/1/001.p/17"]);
  expect(level("2")).toEqual(["tile/2/000.p/1"]);
  expect(level("entries").length).toBe(274);
});

test("a fork that is dropped leaves no trace", () => {
  const edge = TreeEdge.empty(nodeHasher);
  edge.grow(entries.slice(0, 300));
  const root = formatHash(edge.root());
  edge.fork().grow(entries.slice(1_000, 1_400));
  expect([edge.size, formatHash(edge.root())]).toEqual([300, root]);
  const bundle = edge.grow(entries.slice(300, 301)).find(({ path }) => path === "tile/entries/001.p/45");
  expect(parseEntryBundle(bundle?.bytes ?? new Uint8Array(0))).toEqual(entries.slice(256, 301).map(({ bytes }) => bytes));
});

test("knows the leaf hashes of its partial tile and no others", () => {
  const edge = TreeEdge.empty(nodeHasher);
  edge.grow(entries.slice(0, 300));
  expect(formatHash(edge.leafHash(299) ?? nodeHasher.leaf(new Uint8Array(0)))).toBe(
    formatHash(nodeHasher.leaf(entries[299]?.bytes ?? new Uint8Array(0))),
  );
  expect(edge.leafHash(255)).toBeUndefined();
  expect(edge.leafHash(300)).toBeUndefined();
});
