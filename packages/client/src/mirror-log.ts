import { mkdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import type { Hasher } from "@quorate/tlog/merkle";
import { type Tile, newEntryBundles, newTiles, tilePath, tileWidth } from "@quorate/tlog/tile";
import { checkLog, type LogCheck } from "./check-log.ts";
import { ConnectionError } from "./http.ts";
import { type LogSource, logSourceOf, maxBundleBytes, maxTileBytes } from "./log-source.ts";

export type MirrorCopy = {
  readonly source: LogSource;
  readonly directory: string;
  readonly from: Pick<Checkpoint, "size" | "root">;
  readonly to: Checkpoint;
  readonly hasher: Hasher;
  /** Writes a file so that it is there whole or not at all. */
  readonly writeFile: (path: string, bytes: Uint8Array) => Promise<void>;
  readonly onProgress?: (files: number) => void;
  readonly signal?: AbortSignal;
};

const copiesAtOnce = 4;

/**
 * Copies what a log has in its tree of `to` and had not in that of `from`, into a directory that holds the latter. Files that an
 * interrupted run left are not fetched again. Every file of the copy is then checked against the checkpoint; what is wrong is fetched once
 * more, and what is wrong still is the log's own fault, and in the answer.
 */
export async function copyLog(copy: MirrorCopy): Promise<LogCheck> {
  const { from, to, directory, hasher, signal } = copy;
  const copied = logSourceOf(pathToFileURL(directory).href);
  await fetchFiles(copy, copied);
  const checked = () => checkLog({ source: copied, checkpoint: to, checked: from, hasher, signal });
  const first = await checked();
  if (first.problemCount === 0) return first;
  for (const { path } of first.problems) if (path !== "checkpoint") await removeFile(join(directory, path));
  await fetchFiles(copy, copied);
  return checked();
}

async function fetchFiles({ source, directory, from, to, writeFile, onProgress, signal }: MirrorCopy, copied: LogSource): Promise<void> {
  const files = filesBetween(from.size, to.size);
  let done = 0;
  const lane = async () => {
    for (const tile of files) {
      signal?.throwIfAborted();
      const path = tilePath(tile);
      const maxBytes = tile.level === "entries" ? maxBundleBytes : maxTileBytes;
      if ((await copied(path, { maxBytes })) === undefined) {
        const { path: found, bytes } = await fetchTile(source, tile, { maxBytes, signal });
        await mkdir(dirname(join(directory, found)), { recursive: true });
        await writeFile(join(directory, found), bytes);
      }
      onProgress?.((done += 1));
    }
  };
  await Promise.all(Array.from({ length: copiesAtOnce }, lane));
}

function* filesBetween(from: number, to: number): Generator<Tile> {
  yield* newEntryBundles(from, to);
  yield* newTiles(from, to);
}

/** Where the log has the full file only, that one is copied. */
async function fetchTile(
  source: LogSource,
  tile: Tile,
  options: { maxBytes: number; signal?: AbortSignal | undefined },
): Promise<{ path: string; bytes: Uint8Array }> {
  for (const path of new Set([tilePath(tile), tilePath({ ...tile, width: tileWidth })])) {
    const bytes = await source(path, options);
    if (bytes !== undefined) return { path, bytes };
  }
  throw new ConnectionError(`copying ${tilePath(tile)} of the log`, "it is missing there");
}

async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  });
}
