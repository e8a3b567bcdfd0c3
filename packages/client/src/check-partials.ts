import { ParseError } from "@quorate/protocol/parse-error";
import { parseEntryBundle } from "@quorate/tlog/entry-bundle";
import { equalHashes, hashBytes } from "@quorate/tlog/hash";
import { type Tile, fullTileBytes, levelWidth, newEntryBundles, newTiles, tileAt, tilePath, tileWidth } from "@quorate/tlog/tile";
import type { LogCheckOptions } from "./check-log.ts";
import type { LogProblem } from "./log-problems.ts";
import { maxBundleBytes } from "./log-source.ts";

type PartialCheck = Pick<LogCheckOptions, "source" | "checkpoint" | "checked" | "published" | "partialWidths" | "signal"> & {
  readonly onFile: () => void;
  readonly onProblem: (problem: LogProblem) => void;
};

/**
 * Partial tiles of every published size stay until the full tile exists, since someone may hold that checkpoint (C2SP tlog-tiles, "Partial
 * Tiles"). Those of `published` sizes must be there; those, and all that can be listed, must begin as the tree's own tile does.
 */
export async function checkPartials(check: PartialCheck): Promise<void> {
  const { checkpoint, published = [] } = check;
  const needed = new Map<string, Set<number>>();
  for (const size of published.filter((size) => size < checkpoint.size)) {
    for (const partial of partialsOf(size)) {
      const { path, widths } = widthsAt(needed, partial);
      if ((ownTile(partial, checkpoint.size)?.width ?? 0) < tileWidth) needed.set(path, widths.add(partial.width));
    }
  }
  for (const tile of tilesToLookAt(check)) {
    check.signal?.throwIfAborted();
    const path = tilePath({ ...tile, width: tileWidth });
    const listed = (await check.partialWidths?.(path)) ?? [];
    const widths = new Set([...(needed.get(path) ?? []), ...listed.filter((width) => width < tile.width)]);
    if (widths.size > 0) await checkWidths(check, tile, { widths, needed: needed.get(path) ?? new Set() });
  }
}

/** The tiles that are partial still, and where partials can be listed those that were since the last check. */
function* tilesToLookAt({ checkpoint: { size }, checked, partialWidths }: PartialCheck): Generator<Tile> {
  yield* partialsOf(size);
  if (partialWidths === undefined) return;
  for (const tile of newTiles(checked?.size ?? 0, size)) if (tile.width === tileWidth) yield tile;
  for (const tile of newEntryBundles(checked?.size ?? 0, size)) if (tile.width === tileWidth) yield tile;
}

async function checkWidths(
  check: PartialCheck,
  tile: Tile,
  { widths, needed }: { widths: Set<number>; needed: Set<number> },
): Promise<void> {
  const read = (path: string) =>
    check.source(path, { maxBytes: tile.level === "entries" ? maxBundleBytes : fullTileBytes, signal: check.signal });
  const whole = (await read(tilePath(tile))) ?? (await read(tilePath({ ...tile, width: tileWidth })));
  for (const width of widths) {
    const path = tilePath({ ...tile, width });
    const bytes = await read(path);
    if (bytes === undefined) {
      if (needed.has(width) && (await read(tilePath({ ...tile, width: tileWidth }))) === undefined) {
        check.onProblem({ path, kind: "missing", reason: "a checkpoint of its size was published, and the full tile is not there yet" });
      }
      continue;
    }
    check.onFile();
    if (whole !== undefined && !isPrefixOrUnknown(bytes, whole, { ...tile, width })) {
      check.onProblem({ path, kind: "wrong", reason: `it does not begin as ${tilePath(tile)} does` });
    }
  }
}

/** A bundle that does not parse is reported as such; nothing is compared with it. */
function isPrefixOrUnknown(bytes: Uint8Array, whole: Uint8Array, tile: Tile): boolean {
  try {
    return isPrefix(bytes, whole, tile);
  } catch (error) {
    if (error instanceof ParseError) return true;
    throw error;
  }
}

function isPrefix(bytes: Uint8Array, whole: Uint8Array, { level, width }: Tile): boolean {
  const length = level === "entries" ? prefixBytes(whole, width) : width * hashBytes;
  return bytes.length === length && equalHashes(bytes, whole.subarray(0, length));
}

function prefixBytes(bundle: Uint8Array, count: number): number {
  const entries = parseEntryBundle(bundle).slice(0, count);
  return entries.reduce((total, entry) => total + 2 + entry.length, 0);
}

function partialsOf(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; levelWidth(level, size) > 0; level += 1) {
    const whole = levelWidth(level, size);
    const tile = { index: Math.floor(whole / tileWidth), width: whole % tileWidth };
    if (tile.width > 0) tiles.push({ level, ...tile }, ...(level === 0 ? [{ level: "entries" as const, ...tile }] : []));
  }
  return tiles;
}

function ownTile({ level, index }: Tile, size: number): Tile | undefined {
  return tileAt(level, index, size);
}

function widthsAt(needed: Map<string, Set<number>>, partial: Tile): { path: string; widths: Set<number> } {
  const path = tilePath({ ...partial, width: tileWidth });
  return { path, widths: needed.get(path) ?? new Set() };
}
