import { formatEntryBundle, parseEntryBundle } from "@quorate/tlog/entry-bundle";
import { expect, test } from "vitest";
import { readTile, tileOfPath } from "./stored-tile.ts";

const bundle = (count: number) => Array.from({ length: count }, (_, index) => new Uint8Array(index).fill(index));

test("cuts a partial bundle from the one that the tree has, and takes the one that is kept before any other", async () => {
  const kept = new Map([
    ["tile/entries/000.p/5", formatEntryBundle(bundle(5))],
    ["tile/entries/000.p/9", formatEntryBundle(bundle(9))],
  ]);
  const asked: string[] = [];
  const files = { read: async (path: string) => (asked.push(path), kept.get(path)) };
  const read = async (width: number) => readTile(files, { level: "entries", index: 0, width }, 9);
  expect(parseEntryBundle((await read(7)) ?? new Uint8Array(0))).toEqual(bundle(7));
  expect(await read(5)).toBe(kept.get("tile/entries/000.p/5"));
  expect(asked).toEqual(["tile/entries/000.p/7", "tile/entries/000.p/9", "tile/entries/000.p/5"]);
  expect(await readTile(files, { level: 0, index: 0, width: 3 }, 9)).toBeUndefined();
});

test("what is no tile's path names no tile", () => {
  for (const path of ["checkpoint", "tile/0/000.unfinished", "tile/0/../000", "tile/0/000.p/0", "tile/0/000?x", "tile/0/0"]) {
    expect(tileOfPath(path)).toBeUndefined();
  }
});
