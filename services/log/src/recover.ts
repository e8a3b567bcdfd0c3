import { readTile } from "@quorate/service/stored-tile";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { parseEntryBundle } from "@quorate/tlog/entry-bundle";
import { equalHashes } from "@quorate/tlog/hash";
import type { Hash } from "@quorate/tlog/hash";
import { MerkleFrontier } from "@quorate/tlog/merkle";
import { fullTileBytes, levelWidth, parseTile, parseTilePath, tileAt, tilePath, tileWidth } from "@quorate/tlog/tile";
import { peaksFromTiles, rootFromTiles } from "@quorate/tlog/tile-proof";
import type { Tile } from "@quorate/tlog/tile";
import type { JournalRecord } from "./journal.ts";
import type { SignedCheckpoint } from "./signed-checkpoint.ts";
import type { TileStore } from "./tile-store.ts";
import { TreeEdge } from "./tree-edge.ts";

/** Thrown when what is stored contradicts what was signed: going on could fork the log. */
export class RefusedToStartError extends Error {
  constructor(message: string, options?: { cause: unknown }) {
    super(`starting the log: ${message}`, options);
    this.name = "RefusedToStartError";
  }
}

export type Stored = { readonly store: TileStore; readonly records: readonly JournalRecord[]; readonly head: SignedCheckpoint };

/**
 * Brings the tiles to the signed checkpoint by growing the tree with the staged batches, as it is grown in normal work. Nothing that was stored
 * is believed: the tree that results must have the root that was signed.
 * @throws RefusedToStartError when it has not
 */
export async function recoverTree({ store, records, head }: Stored): Promise<TreeEdge> {
  const { size, root } = head.checkpoint;
  const batches = records.filter((record) => record.kind === "batch").filter(({ oldSize, entries }) => oldSize + entries.length <= size);
  const edge = await loadEdge(store, batches[0]?.oldSize ?? size);
  for (const { oldSize, entries } of batches) {
    if (oldSize !== edge.size)
      throw new RefusedToStartError(`the journal goes on at ${oldSize} after ${edge.size}; restore the journal's files`);
    await store.write(edge.grow(entries.map((bytes) => ({ bytes, leafHash: nodeHasher.leaf(bytes) }))));
  }
  if (edge.size !== size || !equalHashes(edge.root(), root)) {
    throw new RefusedToStartError(
      `the tiles and the journal make a tree of ${edge.size}, but a checkpoint of ${size} with another root or size was signed; ` +
        "restore the tiles and the journal that belong to the lock store, never an older lock store",
    );
  }
  return edge;
}

/**
 * Tiles are written after the swap only: when those of a staged batch are there that the head does not have, the lock store has lost a swap.
 * @throws RefusedToStartError when it has
 */
export async function checkHeadIsNewest({ store, records, head }: Stored): Promise<void> {
  const { size } = head.checkpoint;
  for (const record of records) {
    if (record.kind !== "batch" || record.oldSize !== size) continue;
    const newSize = size + record.entries.length;
    const tile = tileAt(0, Math.floor((newSize - 1) / tileWidth), newSize);
    if (tile === undefined || (await store.read(tilePath(tile))) === undefined) continue;
    throw new RefusedToStartError(
      `there are tiles of a tree of ${newSize}, but the lock store's newest checkpoint is ${size}: it is damaged, or comes from a backup; ` +
        "restore the newest lock store, or start another log",
    );
  }
}

/**
 * The newest checkpoint that was published, which must be the signed one or a prefix of it.
 * @throws RefusedToStartError when it is neither
 */
export async function checkPublished(published: SignedCheckpoint, { store, head }: Omit<Stored, "records">): Promise<void> {
  const { size, root } = published.checkpoint;
  if (size > head.checkpoint.size) {
    throw new RefusedToStartError(
      `a checkpoint of size ${size} was published, but the lock store's newest is ${head.checkpoint.size}: it comes from a backup; ` +
        "restore the newest lock store, or start another log",
    );
  }
  const own = size === head.checkpoint.size ? head.checkpoint.root : await rootAt(store, size);
  if (!equalHashes(own, root)) {
    throw new RefusedToStartError(
      `a checkpoint of size ${size} was published with another root than the tiles have; this log has forked and must not go on`,
    );
  }
}

/** The root of the tree's first `size` entries, from the tiles. */
export async function rootAt(store: TileStore, size: number): Promise<Hash> {
  return rootFromTiles({ size, hasher: nodeHasher, readTile: tileReader(store) });
}

export function tileReader(store: TileStore): (path: string) => Promise<Uint8Array> {
  return async (path) => readNeeded(store, parseTilePath(path));
}

async function loadEdge(store: TileStore, size: number): Promise<TreeEdge> {
  if (size === 0) return TreeEdge.empty(nodeHasher);
  const peaks = await peaksFromTiles({ size, hasher: nodeHasher, readTile: tileReader(store) });
  const rows: Uint8Array[] = [];
  for (let level = 0; levelWidth(level, size) > 0; level += 1) rows.push(await loadRow(store, level, levelWidth(level, size)));
  const entries = await loadEntries(store, size);
  return new TreeEdge({ frontier: MerkleFrontier.restore({ size, peaks, hasher: nodeHasher }), rows, entries });
}

async function loadRow(store: TileStore, level: number, whole: number): Promise<Uint8Array> {
  const row = new Uint8Array(fullTileBytes);
  const width = whole % tileWidth;
  if (width > 0) row.set(await readNeeded(store, { level, index: (whole - width) / tileWidth, width }));
  return row;
}

/** The partial bundle's entries, re-hashed: the tree must hold them. */
async function loadEntries(store: TileStore, size: number): Promise<Uint8Array[]> {
  const width = size % tileWidth;
  if (width === 0) return [];
  const index = (size - width) / tileWidth;
  const entries = parseEntryBundle(await readNeeded(store, { level: "entries", index, width }));
  const tile: Tile = { level: 0, index, width };
  const hashes = parseTile(tile, await readNeeded(store, tile));
  const damaged = hashes.findIndex((hash, position) => {
    const entry = entries[position];
    return entry === undefined || !equalHashes(nodeHasher.leaf(entry), hash);
  });
  if (damaged !== -1 || entries.length !== width) {
    throw new RefusedToStartError(
      `the entry at index ${index * tileWidth + Math.max(damaged, 0)} is not the one in the tree; restore its bundle`,
    );
  }
  return entries;
}

async function readNeeded(store: TileStore, tile: Tile): Promise<Uint8Array> {
  const bytes = await readTile(store, tile);
  if (bytes === undefined) throw new RefusedToStartError(`${tilePath(tile)} is missing; restore the tiles`);
  return bytes;
}
