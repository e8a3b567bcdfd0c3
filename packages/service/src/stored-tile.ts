import { ParseError } from "@quorate/protocol/parse-error";
import { hashBytes } from "@quorate/tlog/hash";
import { type Tile, parseTilePath, tilePath, tileWidth } from "@quorate/tlog/tile";

/** The files of a log by their path below its prefix; `undefined` when there is no such file. */
export type StoredFiles = { read(path: string): Promise<Uint8Array | undefined> };

/**
 * The bytes of a tile or bundle. A partial one that is not kept, or no longer, is cut from a wider one, which begins with it: from the full one,
 * or from the one that the tree has there, of `treeWidth`.
 */
export async function readTile(files: StoredFiles, tile: Tile, treeWidth = tileWidth): Promise<Uint8Array | undefined> {
  const exact = await files.read(tilePath(tile));
  if (exact !== undefined || tile.width === tileWidth) return exact;
  const wider = (await files.read(tilePath({ ...tile, width: treeWidth }))) ?? (await files.read(tilePath({ ...tile, width: tileWidth })));
  return wider?.subarray(0, tile.level === "entries" ? bundlePrefixBytes(wider, tile.width) : tile.width * hashBytes);
}

/** The tile that a path below the log's prefix names, or undefined when it names none. */
export function tileOfPath(path: string): Tile | undefined {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function bundlePrefixBytes(bundle: Uint8Array, count: number): number {
  let offset = 0;
  for (let entry = 0; entry < count; entry += 1) offset += 2 + (bundle[offset] ?? 0) * 256 + (bundle[offset + 1] ?? 0);
  return offset;
}
