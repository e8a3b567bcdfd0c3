import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readTile } from "@quorate/service/stored-tile";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { parseEntryBundle } from "@quorate/tlog/entry-bundle";
import { expect, test } from "vitest";
import { scratchDirectory } from "./scratch-directory.fixture.ts";
import { DirectoryTileStore } from "./tile-store.ts";
import type { TileStore } from "./tile-store.ts";
import { TreeEdge } from "./tree-edge.ts";

const entries = Array.from({ length: 400 }, (_, index) => {
  const bytes = new Uint8Array(1 + (index % 300)).fill(index);
  return { bytes, leafHash: nodeHasher.leaf(bytes) };
});

/** A tree grown by 100 at a time: partial tiles of 100 and 200, a full one, and partial ones of 44 and 144. */
async function grown(store: TileStore): Promise<void> {
  const edge = TreeEdge.empty(nodeHasher);
  for (let size = 0; size < 400; size += 100) await store.write(edge.grow(entries.slice(size, size + 100)));
}

test("drops the partial tiles of many full ones, as of a few", async () => {
  await using scratch = await scratchDirectory();
  const store = new DirectoryTileStore(scratch.path);
  const edge = TreeEdge.empty(nodeHasher);
  for (let batch = 0; batch < 8; batch += 1) await store.write(edge.grow(entries.slice(0, 200)));
  await store.sync();
  expect((await readdir(join(scratch.path, "tile/0"))).sort()).toEqual(["000", "001", "002", "003", "004", "005", "006.p"]);
});

test("keeps every partial tile until its full tile is durable, then only the full one", async () => {
  await using scratch = await scratchDirectory();
  const store = new DirectoryTileStore(scratch.path);
  await grown(store);
  expect((await readdir(join(scratch.path, "tile/0"))).sort()).toEqual(["000", "000.p", "001.p"]);
  expect((await readdir(join(scratch.path, "tile/0/000.p"))).sort()).toEqual(["100", "200"]);
  await store.sync();
  expect((await readdir(join(scratch.path, "tile/0"))).sort()).toEqual(["000", "001.p"]);
  expect((await readdir(join(scratch.path, "tile/entries/001.p"))).sort()).toEqual(["144", "44"]);
});

test("cuts a dropped partial tile or bundle from the full one", async () => {
  await using scratch = await scratchDirectory();
  const store = new DirectoryTileStore(scratch.path);
  await grown(store);
  const before = await Promise.all(([0, "entries"] as const).map((level) => readTile(store, { level, index: 0, width: 100 })));
  await store.sync();
  const after = await Promise.all(([0, "entries"] as const).map((level) => readTile(store, { level, index: 0, width: 100 })));
  expect(after.map((bytes) => Buffer.from(bytes ?? []))).toEqual(before);
  expect(parseEntryBundle(after[1] ?? new Uint8Array(0)).length).toBe(100);
  expect(await readTile(store, { level: 0, index: 1, width: 200 })).toBeUndefined();
});
