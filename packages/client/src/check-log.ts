import { ParseError } from "@quorate/protocol/parse-error";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { parseEntryBundle } from "@quorate/tlog/entry-bundle";
import { type Hash, equalHashes } from "@quorate/tlog/hash";
import { type Hasher, foldSubtrees, rootOf, verifyConsistency } from "@quorate/tlog/merkle";
import { subtreesOf } from "@quorate/tlog/subtree";
import { type Tile, levelWidth, parseTile, tilePath, tileSliceOf, tileWidth } from "@quorate/tlog/tile";
import { consistencyProofFromTiles } from "@quorate/tlog/tile-proof";
import { VerificationError } from "@quorate/tlog/verification-error";
import { ConnectionError } from "./http.ts";
import { type LogProblem, LogProblems } from "./log-problems.ts";
import { type LogSource, maxBundleBytes, maxTileBytes } from "./log-source.ts";
import { checkPartials } from "./check-partials.ts";
import { readAhead } from "./read-ahead.ts";

export type LogCheckOptions = {
  readonly source: LogSource;
  /** What the files must lead to. */
  readonly checkpoint: Checkpoint;
  readonly hasher: Hasher;
  /** A tree of this log that was checked whole before: what it holds is not read again. */
  readonly checked?: Pick<Checkpoint, "size" | "root"> | undefined;
  /** Sizes of other checkpoints that the log has published: their partial tiles must be there until the full ones are. */
  readonly published?: readonly number[] | undefined;
  /** Widths of a tile's partials that are there; each is compared with the tile. */
  readonly partialWidths?: ((fullPath: string) => Promise<number[]>) | undefined;
  readonly onProgress?: ((entries: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type LogCheck = {
  /** Entries whose bytes were hashed. */
  readonly entries: number;
  readonly files: number;
  readonly problems: readonly LogProblem[];
  /** All that were found; `problems` has the first thousand. */
  readonly problemCount: number;
};

/**
 * Checks every file of a log against a checkpoint: from the root down, each tile against its parent's hash, each entry bundle against its
 * tile. So each damaged or missing file is named, and what is below it is still checked. Memory holds a path from the root to a leaf.
 */
export async function checkLog(options: LogCheckOptions): Promise<LogCheck> {
  const check = new Check(options);
  await check.run();
  const { problems, entries, files } = check;
  return { entries, files, problems: problems.kept, problemCount: problems.count };
}

class Check {
  readonly #options: LogCheckOptions;
  readonly problems = new LogProblems();
  entries = 0;
  files = 0;

  constructor(options: LogCheckOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { checkpoint, hasher } = this.#options;
    const edge = edgeTiles(checkpoint.size);
    const served: (Hash[] | undefined)[] = [];
    for (const tile of edge) served.push(await this.#tile(tile));
    const isRoot = (levels: readonly (Hash[] | undefined)[]) =>
      equalHashes(edgeRoot(checkpoint.size, edge, levels, hasher), checkpoint.root);
    const trusted = served.every((hashes) => hashes !== undefined) && isRoot(served);
    const isExtension = await this.#extendsChecked();
    const below: (Hash[] | undefined)[] = [];
    for (const [at, tile] of edge.entries()) below.push(await this.#below(tile, trusted ? served[at] : undefined, trusted && isExtension));
    if (!trusted) this.#blameEdge({ edge, served, below, leadsToRoot: below.every((hashes) => hashes !== undefined) && isRoot(below) });
    await checkPartials({ ...this.#options, onFile: () => (this.files += 1), onProblem: (problem) => this.problems.add(problem) });
  }

  /** Whether the tree that was checked before is the beginning of this one; only then it need not be read again. */
  async #extendsChecked(): Promise<boolean> {
    const { checked, checkpoint, hasher } = this.#options;
    if (checked === undefined || checked.size === 0) return false;
    const { size: newSize, root: newRoot } = checkpoint;
    const { size: oldSize, root: oldRoot } = checked;
    try {
      if (oldSize > newSize) throw new VerificationError(`it has ${newSize} entries, and had ${oldSize} before`);
      const readTile = async (path: string) => (await this.#read(path, maxTileBytes)) ?? missing(path);
      const proof = await consistencyProofFromTiles(oldSize, { size: newSize, readTile, hasher });
      verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof, hasher });
      return true;
    } catch (error) {
      if (error instanceof VerificationError) this.problems.add({ path: "checkpoint", kind: "wrong", reason: error.message });
      else if (!(error instanceof ParseError || error instanceof ConnectionError)) throw error;
      return false;
    }
  }

  /** The tile's hashes as what is below it gives them. `trusted` are its hashes if its parent vouches for them. */
  async #below(tile: Tile, trusted: Hash[] | undefined, mayskip: boolean): Promise<Hash[] | undefined> {
    if (tile.level === 0) return this.#entriesBelow(tile, trusted);
    const hashes: (Hash | undefined)[] = [];
    const child = async (at: number) => {
      const index = tile.index * tileWidth + at;
      const expected = trusted?.[at];
      if (mayskip && expected !== undefined && this.#wasChecked(Number(tile.level), index)) return expected;
      return this.#subtree({ level: Number(tile.level) - 1, index, width: tileWidth }, expected, mayskip);
    };
    if (tile.level === 1) for await (const { value } of readAhead(child, 0, tile.width)) hashes.push(value);
    else for (let at = 0; at < tile.width; at += 1) hashes.push(await child(at));
    const found = hashes.filter((hash) => hash !== undefined);
    return found.length === tile.width ? found : undefined;
  }

  /** The root of a full tile's subtree as its entries give it, or as its parent vouches where an entry cannot be had. */
  async #subtree(tile: Tile, expected: Hash | undefined, mayskip: boolean): Promise<Hash | undefined> {
    const { hasher } = this.#options;
    const served = await this.#tile(tile);
    const vouched = expected !== undefined && served !== undefined && equalHashes(rootOf(served, hasher), expected);
    const below = await this.#below(tile, vouched ? served : undefined, mayskip);
    if (vouched) return expected;
    const root = below && rootOf(below, hasher);
    const leads = expected === undefined || (root !== undefined && equalHashes(root, expected));
    const path = tilePath(tile);
    if (served !== undefined && (below === undefined || !sameHashes(served, below))) {
      this.#wrong(path, leads && below ? "its hashes are not those of what is below it" : "its hashes do not lead to its parent's");
    } else if (!leads && below !== undefined) {
      this.#wrong(path, "what is below it does not lead to its parent's hash either");
    }
    return root ?? expected;
  }

  async #entriesBelow(tile: Tile, trusted: Hash[] | undefined): Promise<Hash[] | undefined> {
    const bundle: Tile = { ...tile, level: "entries" };
    const path = tilePath(bundle);
    const bytes = await this.#tileBytes(bundle, maxBundleBytes);
    const entries = bytes && this.#parsed(path, () => parseEntryBundle(bytes));
    this.entries += tile.width;
    this.#options.onProgress?.(this.entries);
    if (entries === undefined) return undefined;
    if (entries.length < tile.width) return this.#wrong(path, `it holds ${entries.length} entries instead of ${tile.width}`);
    const hashes = entries.slice(0, tile.width).map((entry) => this.#options.hasher.leaf(entry));
    const different = trusted?.findIndex((hash, at) => !equalHashes(hash, hashes[at] ?? new Uint8Array(0))) ?? -1;
    if (different >= 0) this.#wrong(path, `entry ${tile.index * tileWidth + different} is not the one that the tree holds`);
    return hashes;
  }

  #wasChecked(level: number, index: number): boolean {
    return (index + 1) * tileWidth ** level <= (this.#options.checked?.size ?? 0);
  }

  #blameEdge({ edge, served, below, leadsToRoot }: { edge: Tile[]; served: Levels; below: Levels; leadsToRoot: boolean }): void {
    if (!leadsToRoot) this.#wrong("checkpoint", "the entries and tiles that are served do not lead to its root");
    for (const [at, tile] of edge.entries()) {
      const [hashes, computed] = [served[at], below[at]];
      if (hashes && computed && !sameHashes(hashes, computed)) this.#wrong(tilePath(tile), "its hashes are not those of what is below it");
    }
  }

  async #tile(tile: Tile): Promise<Hash[] | undefined> {
    const bytes = await this.#tileBytes(tile, maxTileBytes);
    return bytes && this.#parsed(tilePath(tile), () => parseTile(tile, bytes));
  }

  /** The full file stands for a partial one that was dropped (C2SP tlog-tiles, "Partial Tiles"). */
  async #tileBytes(tile: Tile, maxBytes: number): Promise<Uint8Array | undefined> {
    const path = tilePath(tile);
    const full = { ...tile, width: tileWidth };
    const bytes = (await this.#read(path, maxBytes)) ?? (tile.width < tileWidth ? await this.#read(tilePath(full), maxBytes) : undefined);
    if (bytes === undefined) this.problems.add({ path, kind: "missing", reason: "there is no such file" });
    else this.files += 1;
    return bytes;
  }

  #read(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const { source, signal } = this.#options;
    signal?.throwIfAborted();
    return source(path, { maxBytes, signal });
  }

  #parsed<Value>(path: string, parse: () => Value): Value | undefined {
    try {
      return parse();
    } catch (error) {
      if (error instanceof ParseError) return this.#wrong(path, error.message);
      throw error;
    }
  }

  #wrong(path: string, reason: string): undefined {
    this.problems.add({ path, kind: "wrong", reason });
  }
}

type Levels = readonly (Hash[] | undefined)[];

/** The partial tiles of a tree, from the highest level, which is leftmost, to level 0. */
function edgeTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; levelWidth(level, size) > 0; level += 1) {
    const whole = levelWidth(level, size);
    if (whole % tileWidth > 0) tiles.unshift({ level, index: Math.floor(whole / tileWidth), width: whole % tileWidth });
  }
  return tiles;
}

/** The root of a tree from the hashes of its partial tiles, which hold all complete subtrees of its right edge. */
function edgeRoot(size: number, edge: readonly Tile[], levels: Levels, hasher: Hasher): Hash {
  const peaks = subtreesOf({ start: 0, end: size }).map((subtree) => {
    const { tile, offset, count } = tileSliceOf(subtree, size);
    const hashes = levels[edge.findIndex(({ level }) => level === tile.level)] ?? [];
    return rootOf(hashes.slice(offset, offset + count), hasher);
  });
  return foldSubtrees(peaks, hasher);
}

function sameHashes(some: readonly Hash[], others: readonly Hash[]): boolean {
  return some.every((hash, at) => equalHashes(hash, others[at] ?? new Uint8Array(0)));
}

function missing(path: string): never {
  throw new ConnectionError(`reading ${path} of the log`, "it is missing");
}
