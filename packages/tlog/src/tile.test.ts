import { ParseError } from "@quorate/protocol/parse-error";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mutationsOf, respell } from "./respell.fixture.ts";
import {
  type Tile,
  formatTile,
  fullTileBytes,
  levelWidth,
  newEntryBundles,
  newTiles,
  parseTile,
  parseTilePath,
  tilePath,
  tileSliceOf,
} from "./tile.ts";
import { leafHash } from "./merkle.ts";

const paths: [Tile, string][] = [
  [{ level: 0, index: 0, width: 256 }, "tile/0/000"],
  [{ level: 0, index: 0, width: 1 }, "tile/0/000.p/1"],
  [{ level: 63, index: 999, width: 255 }, "tile/63/999.p/255"],
  [{ level: 1, index: 1000, width: 256 }, "tile/1/x001/000"],
  [{ level: 0, index: 1_234_067, width: 256 }, "tile/0/x001/x234/067"],
  [{ level: "entries", index: 1_234_067, width: 8 }, "tile/entries/x001/x234/067.p/8"],
  [{ level: 0, index: Number.MAX_SAFE_INTEGER, width: 256 }, "tile/0/x009/x007/x199/x254/x740/991"],
];

const tiles = fc.record({
  level: fc.oneof(fc.nat(63), fc.constant("entries" as const)),
  index: fc.oneof(fc.nat(2000), fc.maxSafeNat()),
  width: fc.integer({ min: 1, max: 256 }),
});

describe("a tile path", () => {
  test.each(paths)("of %o is %s, and back", (tile, path) => {
    expect([tilePath(tile), parseTilePath(path)]).toEqual([path, tile]);
  });

  test("of any tile is read back", () => {
    fc.assert(
      fc.property(tiles, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
  });

  test("has no second spelling", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          mutationsOf("tile/0/x001/x234/067.p/112"),
          fc.stringMatching(/^tile\/(0|1|07|64|entries)\/(x000\/|x001\/|001\/){0,2}\d{2,4}(\.p\/\d{1,3})?\n?$/),
        ),
        (path) => {
          expect(respell(path, parseTilePath, tilePath)).toBe(path);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("is refused out of bounds", () => {
    expect(() => tilePath({ level: 64, index: 0, width: 1 })).toThrow("level 64");
    expect(() => tilePath({ level: 0, index: -1, width: 1 })).toThrow("index -1");
    expect(() => tilePath({ level: 0, index: 0, width: 0 })).toThrow("width 0");
    expect(() => tilePath({ level: 0, index: 0, width: 257 })).toThrow("width 257");
  });
});

describe("the tiles of a tree", () => {
  test("of 70,000 entries are those of the specification's example", () => {
    const all = [...newTiles(0, 70_000)];
    const partial = all.filter(({ width }) => width < 256).map(tilePath);
    expect(all.filter(({ level, width }) => level === 0 && width === 256)).toHaveLength(273);
    expect(all.filter(({ level, width }) => level === 1 && width === 256)).toHaveLength(1);
    expect(partial).toEqual(["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    expect(all).toHaveLength(273 + 1 + 3);
    expect([...newEntryBundles(0, 70_000)].map(tilePath).slice(-2)).toEqual(["tile/entries/272", "tile/entries/273.p/112"]);
  });

  test("of 256 entries are one full tile and a partial one above it", () => {
    expect([...newTiles(0, 256)].map(tilePath)).toEqual(["tile/0/000", "tile/1/000.p/1"]);
  });

  test("have at every size and level the partial width that the specification gives, and no empty tile", () => {
    for (let size = 0; size <= 1030; size += 1) {
      for (const level of [0, 1, 2]) {
        const partial = [...newTiles(0, size)].filter((tile) => tile.level === level && tile.width < 256).map(({ width }) => width);
        const width = Math.floor(size / 256 ** level) % 256;
        expect(partial).toEqual(width === 0 ? [] : [width]);
      }
    }
  });

  test("that growth adds are those that the smaller tree has not", () => {
    fc.assert(
      fc.property(fc.nat(70_000), fc.nat(2000), (oldSize, growth) => {
        const before = new Set(Array.from(newTiles(0, oldSize), tilePath));
        const expected = Array.from(newTiles(0, oldSize + growth), tilePath).filter((path) => !before.has(path));
        expect(Array.from(newTiles(oldSize, oldSize + growth), tilePath)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test("hold each complete subtree at one place, and no incomplete one", () => {
    expect(tileSliceOf({ level: 0, index: 300 }, 70_000)).toEqual({ tile: { level: 0, index: 1, width: 256 }, offset: 44, count: 1 });
    expect(tileSliceOf({ level: 10, index: 67 }, 70_000)).toEqual({ tile: { level: 1, index: 1, width: 17 }, offset: 12, count: 4 });
    expect(tileSliceOf({ level: 16, index: 0 }, 70_000)).toEqual({ tile: { level: 2, index: 0, width: 1 }, offset: 0, count: 1 });
    expect(() => tileSliceOf({ level: 10, index: 68 }, 70_000)).toThrow("no complete subtree 68 at level 10");
    expect(() => tileSliceOf({ level: 0, index: 70_000 }, 70_000)).toThrow(RangeError);
    expect(levelWidth(1, 70_000)).toBe(273);
  });
});

describe("a tile", () => {
  const hashes = Array.from({ length: 256 }, (_, index) => leafHash(Uint8Array.of(index)));

  test("is read back at every width", () => {
    for (let width = 1; width <= 256; width += 1) {
      const some = hashes.slice(0, width);
      expect(parseTile({ level: 0, index: 0, width }, formatTile(some))).toEqual(some);
    }
  });

  test("that is full stands for a partial one", () => {
    expect(parseTile({ level: 0, index: 0, width: 3 }, formatTile(hashes))).toEqual(hashes.slice(0, 3));
  });

  test.each([0, 31, 64, fullTileBytes - 32, fullTileBytes + 32])("of %d bytes is refused for a width of 3", (length) => {
    expect(() => parseTile({ level: 0, index: 0, width: 3 }, new Uint8Array(length))).toThrow(ParseError);
  });
});
