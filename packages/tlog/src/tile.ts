import { ParseError } from "@quorate/protocol/parse-error";
import { type Hash, hashBytes, hashFrom } from "./hash.ts";
import type { Subtree } from "./subtree.ts";

/** Hashes in a full tile, and entries in a full bundle. */
export const tileWidth = 256;
export const fullTileBytes = tileWidth * hashBytes;

/**
 * A tile: `width` (1 to 256) hashes of complete subtrees of 256^level leaves, from subtree `index * 256` on.
 * Level `entries` is the bundle of the entries under the level-0 tile of the same index.
 */
export type Tile = { readonly level: number | "entries"; readonly index: number; readonly width: number };

/** Where the hash of a subtree is found: fold `count` hashes of `tile` from position `offset` on. */
export type TileSlice = { readonly tile: Tile; readonly offset: number; readonly count: number };

/**
 * The path of a tile below the log's prefix (C2SP tlog-tiles, "Merkle Tree"):
 *
 *     tile/0/x001/x234/067         tile/0/x001/x234/067.p/112         tile/entries/000.p/1
 *
 * @throws RangeError for a level, index or width out of bounds
 */
export function tilePath({ level, index, width }: Tile): string {
  if (level !== "entries" && !isIntegerIn(level, 0, 63)) throw new RangeError(`formatting a tile path: level ${level} is not 0 to 63`);
  if (!isIntegerIn(index, 0, Number.MAX_SAFE_INTEGER)) throw new RangeError(`formatting a tile path: index ${index}`);
  if (!isIntegerIn(width, 1, tileWidth)) throw new RangeError(`formatting a tile path: width ${width} is not 1 to ${tileWidth}`);
  return `tile/${level}/${formatIndex(index)}${width === tileWidth ? "" : `.p/${width}`}`;
}

/**
 * The inverse of `tilePath`; a path has one spelling.
 *
 * @throws ParseError
 */
export function parseTilePath(path: string): Tile {
  const [, level, index, width] = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path) ?? [];
  if (level === undefined || index === undefined) throw new ParseError("tile path", path);
  const tile: Tile = {
    level: level === "entries" ? level : Number(level),
    index: Number(index.replaceAll(/[x/]/g, "")),
    width: width === undefined ? tileWidth : Number(width),
  };
  if (width === String(tileWidth) || !isTile(tile) || tilePath(tile) !== path) throw new ParseError("tile path", path);
  return tile;
}

/** How many hashes level `level` has in a tree of `size`: its complete subtrees of 256^level leaves. */
export function levelWidth(level: number, size: number): number {
  return Math.floor(size / tileWidth ** level);
}

/** The tile with this level and index as the tree of `size` has it, or undefined where the tree does not reach. */
export function tileAt(level: number | "entries", index: number, size: number): Tile | undefined {
  const width = Math.min(tileWidth, levelWidth(level === "entries" ? 0 : level, size) - index * tileWidth);
  return width > 0 ? { level, index, width } : undefined;
}

/**
 * The tiles that a tree of `newSize` has and the tree of `oldSize` had not, or not as wide; by level, then by index. With an old
 * size of 0: every tile of the tree. A partial tile of the new size is in it even if its full tile will follow.
 */
export function* newTiles(oldSize: number, newSize: number): Generator<Tile> {
  for (let level = 0; levelWidth(level, newSize) > 0; level += 1) {
    yield* newTilesOf(level, levelWidth(level, oldSize), levelWidth(level, newSize));
  }
}

/** As `newTiles`, for entry bundles. */
export function newEntryBundles(oldSize: number, newSize: number): Generator<Tile> {
  return newTilesOf("entries", oldSize, newSize);
}

/** Which tile of the tree of `size` holds a complete subtree, and which of its hashes. */
export function tileSliceOf({ level, index }: Subtree, size: number): TileSlice {
  const tileLevel = Math.floor(level / 8);
  const count = 2 ** (level % 8);
  const start = index * count;
  const tile = tileAt(tileLevel, Math.floor(start / tileWidth), size);
  const offset = start % tileWidth;
  if (tile === undefined || offset + count > tile.width) {
    throw new RangeError(`finding a subtree's tile: a tree of ${size} has no complete subtree ${index} at level ${level}`);
  }
  return { tile, offset, count };
}

/**
 * The hashes of a tile. A full tile is taken for a partial one, since a log may drop the partial tile once the full one exists.
 *
 * @throws ParseError when the length is not the tile's
 */
export function parseTile(tile: Tile, bytes: Uint8Array): Hash[] {
  if (bytes.length !== tile.width * hashBytes && bytes.length !== fullTileBytes) {
    throw new ParseError(`${tilePath(tile)} of ${tile.width * hashBytes} bytes`, `${bytes.length} bytes`);
  }
  return Array.from({ length: tile.width }, (_, index) => hashFrom(bytes.subarray(index * hashBytes, (index + 1) * hashBytes)));
}

/** The bytes of a tile from its hashes. */
export function formatTile(hashes: readonly Hash[]): Uint8Array {
  if (!isIntegerIn(hashes.length, 1, tileWidth)) throw new RangeError(`formatting a tile: ${hashes.length} hashes`);
  const bytes = new Uint8Array(hashes.length * hashBytes);
  for (const [index, hash] of hashes.entries()) bytes.set(hash, index * hashBytes);
  return bytes;
}

function* newTilesOf(level: Tile["level"], oldWidth: number, newWidth: number): Generator<Tile> {
  if (oldWidth >= newWidth) return;
  const [first, last] = [Math.floor(oldWidth / tileWidth), Math.floor((newWidth - 1) / tileWidth)];
  for (let index = first; index <= last; index += 1) {
    yield { level, index, width: Math.min(tileWidth, newWidth - index * tileWidth) };
  }
}

/** Groups of three digits, all but the last marked, so that no tile's file name is another's directory. */
function formatIndex(index: number): string {
  const groups: string[] = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    const digits = String(rest % 1000).padStart(3, "0");
    groups.unshift(groups.length === 0 ? digits : `x${digits}`);
  }
  return groups.join("/");
}

function isTile({ level, index, width }: Tile): boolean {
  const levelFits = level === "entries" || isIntegerIn(level, 0, 63);
  return levelFits && isIntegerIn(index, 0, Number.MAX_SAFE_INTEGER) && isIntegerIn(width, 1, tileWidth);
}

function isIntegerIn(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
