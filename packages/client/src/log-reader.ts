import { type Checkpoint, parseCheckpoint, verifyCheckpointNote } from "@quorate/tlog/checkpoint";
import { parseEntryBundle } from "@quorate/tlog/entry-bundle";
import type { Hash } from "@quorate/tlog/hash";
import { hashFrom } from "@quorate/tlog/hash";
import { leafHash, type Hasher, verifyConsistency, verifyInclusion } from "@quorate/tlog/merkle";
import { maxNoteBytes, type NoteKey, parseNote } from "@quorate/tlog/note";
import { parseTile, parseTilePath, tileAt, tilePath, tileWidth } from "@quorate/tlog/tile";
import { consistencyProofFromTiles, hashFromTiles, inclusionProofFromTiles } from "@quorate/tlog/tile-proof";
import type { NoteVerify } from "@quorate/tlog/note-verify";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { ByteCache } from "./byte-cache.ts";
import { ConnectionError } from "./http.ts";
import { type LogSource, logSourceOf, maxBundleBytes, maxTileBytes } from "./log-source.ts";
import { readAhead } from "./read-ahead.ts";

/**
 * Reads a log of tiles (C2SP tlog-tiles). Sizes are those of checkpoints that this reader has read: their roots are what entries and
 * proofs are checked against. A log that serves two trees is noticed.
 */
export interface LogReader {
  /** The newest checkpoint, signed by the log if its keys were given; `text` is the note with all its signatures. */
  checkpoint(signal?: AbortSignal): Promise<{ checkpoint: Checkpoint; text: string }>;
  tile(path: string): Promise<Uint8Array>;
  /** The hashes of a tile of the tree of `size`, as served: the caller checks them. */
  hashes(tile: { level: number; index: number }, size: number): Promise<Hash[]>;
  /** @throws VerificationError unless the entry is in the tree of that size */
  entry(index: number, size: number): Promise<Uint8Array>;
  /** As `entries`, those of one bundle at a time. */
  bundles(range: EntryRange, signal?: AbortSignal): AsyncGenerator<{ index: number; entries: Uint8Array[] }>;
  /** Entries `from` to `to` (not included) of the tree of `size`, as served: the caller checks their root. */
  entries(range: EntryRange, signal?: AbortSignal): AsyncGenerator<{ index: number; bytes: Uint8Array }>;
  /** @throws VerificationError when the tiles do not lead to the checkpoint's root */
  inclusionProof(index: number, size: number): Promise<Hash[]>;
  /** @throws VerificationError when the two checkpoints are of different trees */
  consistencyProof(oldSize: number, newSize: number): Promise<Hash[]>;
}

export type EntryRange = { readonly from: number; readonly to: number; readonly size: number };

export type LogReaderOptions = {
  /** An `http:`, `https:` or `file:` URL. */
  url: string;
  /** Keys of the log, and what verifies with them; a checkpoint must have the signature of one of them. */
  signedBy?: { readonly keys: readonly NoteKey[]; readonly verify: NoteVerify };
  hasher?: Hasher;
  /** Bound on the tiles that are kept in memory. */
  cacheBytes?: number;
};

const rootsKept = 1000;

export function createLogReader(options: LogReaderOptions): LogReader {
  const { url, signedBy, hasher = portableHasher, cacheBytes = 32 * 2 ** 20 } = options;
  const source = logSourceOf(url);
  const cache = new ByteCache(cacheBytes);
  const roots = new Map<number, Hash>();

  // Several callers may wait for one tile: none of them may abort it.
  const readTile = (path: string): Promise<Uint8Array> => cache.load(path, () => fetchTile(source, path, undefined));
  const treeOf = (size: number) => ({ size, hasher, readTile });
  const rootOf = (size: number): Hash => {
    const root = roots.get(size);
    if (!root) throw new RangeError(`reading the log: no checkpoint of size ${size} was read`);
    return root;
  };

  const proveInclusion = async (index: number, size: number, entry?: Uint8Array): Promise<Hash[]> => {
    const root = rootOf(size);
    const tree = treeOf(size);
    const proof = await inclusionProofFromTiles(index, tree);
    const leaf = entry ? leafHash(entry, hasher) : await hashFromTiles({ level: 0, index }, tree);
    verifyInclusion({ index, size, leaf, proof, root, hasher });
    return proof;
  };

  async function* readBundles({ from, to, size }: EntryRange, signal: AbortSignal | undefined) {
    if (from > to || to > size) throw new RangeError(`reading entries ${from} to ${to} of the log: it has ${size} entries`);
    const read = (bundle: number) => readBundle(bundle, size, (path) => fetchTile(source, path, signal));
    for await (const { at, value } of readAhead(read, Math.floor(from / tileWidth), Math.ceil(to / tileWidth))) {
      const start = at * tileWidth;
      yield { index: Math.max(from, start), entries: value.slice(Math.max(0, from - start), to - start) };
    }
  }

  return {
    async checkpoint(signal) {
      const bytes = await source("checkpoint", { maxBytes: maxNoteBytes, signal });
      if (!bytes) throw new ConnectionError("reading the log's checkpoint", `there is none at ${url}`);
      const text = new TextDecoder().decode(bytes);
      const note = parseNote(text);
      const checkpoint = signedBy ? verifyCheckpointNote(note, signedBy.keys, signedBy.verify).checkpoint : parseCheckpoint(note.text);
      remember(roots, checkpoint);
      return { checkpoint, text };
    },
    tile: readTile,
    async hashes({ level, index }, size) {
      const tile = tileAt(level, index, size);
      return tile ? parseTile(tile, await readTile(tilePath(tile))) : [];
    },
    async entry(index, size) {
      const entry = (await readBundle(Math.floor(index / tileWidth), size, readTile))[index % tileWidth];
      if (!entry) throw new RangeError(`reading entry ${index} of the log: it has ${size} entries`);
      await proveInclusion(index, size, entry);
      return entry;
    },
    bundles: readBundles,
    async *entries(range, signal) {
      for await (const { index, entries } of readBundles(range, signal)) {
        for (const [offset, bytes] of entries.entries()) yield { index: index + offset, bytes };
      }
    },
    inclusionProof: (index, size) => proveInclusion(index, size),
    async consistencyProof(oldSize, newSize) {
      const proof = await consistencyProofFromTiles(oldSize, treeOf(newSize));
      verifyConsistency({ oldSize, newSize, oldRoot: rootOf(oldSize), newRoot: rootOf(newSize), proof, hasher });
      return proof;
    },
  };
}

/** A log may drop a partial tile once the full one exists (C2SP tlog-tiles, "Partial Tiles"). */
async function fetchTile(source: LogSource, path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const tile = parseTilePath(path);
  const maxBytes = tile.level === "entries" ? maxBundleBytes : maxTileBytes;
  const bytes =
    (await source(path, { maxBytes, signal })) ??
    (tile.width < tileWidth ? await source(tilePath({ ...tile, width: tileWidth }), { maxBytes, signal }) : undefined);
  if (!bytes) throw new ConnectionError(`reading ${path} of the log`, "it is missing");
  return bytes;
}

async function readBundle(index: number, size: number, read: (path: string) => Promise<Uint8Array>): Promise<Uint8Array[]> {
  const tile = tileAt("entries", index, size);
  if (!tile) return [];
  const entries = parseEntryBundle(await read(tilePath(tile)));
  if (entries.length < tile.width) throw new ConnectionError(`reading ${tilePath(tile)} of the log`, `it holds ${entries.length} entries`);
  return entries.slice(0, tile.width);
}

function remember(roots: Map<number, Hash>, { size, root }: Checkpoint): void {
  const known = roots.get(size);
  if (known) verifyConsistency({ oldSize: size, newSize: size, oldRoot: known, newRoot: root, proof: [] });
  roots.set(size, hashFrom(root));
  for (const oldest of roots.keys()) {
    if (roots.size <= rootsKept) break;
    roots.delete(oldest);
  }
}
