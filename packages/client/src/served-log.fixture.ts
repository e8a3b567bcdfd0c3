import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatEntryBundle } from "@quorate/tlog/entry-bundle";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import { formatTile, newEntryBundles, newTiles, tilePath, tileWidth } from "@quorate/tlog/tile";

/** Writes the tiles and entry bundles of a log as its web server has them, for tests. */
export async function writeTiles(directory: string, entries: readonly Uint8Array[]): Promise<void> {
  const leaves = entries.map((entry) => leafHash(entry));
  for (const bundle of newEntryBundles(0, entries.length)) {
    const start = bundle.index * tileWidth;
    await writeLogFile(directory, tilePath(bundle), formatEntryBundle(entries.slice(start, start + bundle.width)));
  }
  for (const tile of newTiles(0, entries.length)) {
    const span = typeof tile.level === "number" ? tileWidth ** tile.level : 1;
    const hashes = Array.from({ length: tile.width }, (_, at) => {
      const start = (tile.index * tileWidth + at) * span;
      return rootOf(leaves.slice(start, start + span));
    });
    await writeLogFile(directory, tilePath(tile), formatTile(hashes));
  }
}

export async function writeLogFile(directory: string, path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), content);
}
