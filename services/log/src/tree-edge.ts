import { formatEntryBundle } from "@quorate/tlog/entry-bundle";
import type { Hash } from "@quorate/tlog/hash";
import { hashBytes, hashFrom } from "@quorate/tlog/hash";
import { MerkleFrontier } from "@quorate/tlog/merkle";
import type { Hasher } from "@quorate/tlog/merkle";
import { fullTileBytes, levelWidth, tilePath, tileWidth } from "@quorate/tlog/tile";

/** A file below the log's prefix. */
export type TileFile = { readonly path: string; readonly bytes: Uint8Array };

export type NewEntry = { readonly bytes: Uint8Array; readonly leafHash: Hash };

/** What is in the partial tiles of a tree: enough to grow it without reading. */
export type EdgeState = {
  readonly frontier: MerkleFrontier;
  /** By tile level: the hashes of the partial tile, in the first `width × 32` of 8,192 bytes. */
  readonly rows: readonly Uint8Array[];
  /** The entries of the partial bundle. */
  readonly entries: readonly Uint8Array[];
};

/** A growing tree's right edge. It is never wound back: grow a fork, and drop it or keep it. */
export class TreeEdge {
  readonly #frontier: MerkleFrontier;
  readonly #rows: Uint8Array[];
  #entries: Uint8Array[];

  constructor(state: EdgeState) {
    this.#frontier = state.frontier;
    this.#rows = [...state.rows];
    this.#entries = [...state.entries];
  }

  static empty(hasher: Hasher): TreeEdge {
    return new TreeEdge({ frontier: MerkleFrontier.empty(hasher), rows: [], entries: [] });
  }

  get size(): number {
    return this.#frontier.size;
  }

  root(): Hash {
    return this.#frontier.root();
  }

  fork(): TreeEdge {
    return new TreeEdge({ frontier: this.#frontier.clone(), rows: this.#rows.map((row) => row.slice()), entries: this.#entries });
  }

  /** The leaf hash at `index`, if it is in the partial level-0 tile. */
  leafHash(index: number): Hash | undefined {
    const start = this.size - this.#entries.length;
    const row = this.#rows[0];
    if (row === undefined || index < start || index >= this.size) return undefined;
    const offset = (index - start) * hashBytes;
    return hashFrom(row.slice(offset, offset + hashBytes));
  }

  /** Appends entries; returns every tile and bundle that is new or wider, as the tree of the new size has it. */
  grow(entries: readonly NewEntry[]): TileFile[] {
    const files: TileFile[] = [];
    const oldSize = this.size;
    for (const { bytes, leafHash } of entries) {
      this.#entries.push(bytes);
      this.#frontier.append(leafHash, (height, hash) => {
        if (height % 8 === 0) this.#place(height / 8, hash, files);
      });
      if (this.#entries.length === tileWidth) {
        files.push({
          path: tilePath({ level: "entries", index: this.size / tileWidth - 1, width: tileWidth }),
          bytes: formatEntryBundle(this.#entries),
        });
        this.#entries = [];
      }
    }
    return [...files, ...this.#partials(oldSize)];
  }

  /** Puts a hash into its level's partial tile. Called before the frontier counts the leaf, so the hash's index is the level's old width. */
  #place(level: number, hash: Hash, files: TileFile[]): void {
    const index = levelWidth(level, this.#frontier.size);
    const row = (this.#rows[level] ??= new Uint8Array(fullTileBytes));
    row.set(hash, (index % tileWidth) * hashBytes);
    if (index % tileWidth !== tileWidth - 1) return;
    files.push({ path: tilePath({ level, index: (index - (tileWidth - 1)) / tileWidth, width: tileWidth }), bytes: row.slice() });
  }

  #partials(oldSize: number): TileFile[] {
    const files: TileFile[] = [];
    for (const [level, row] of this.#rows.entries()) {
      const whole = levelWidth(level, this.size);
      const width = whole % tileWidth;
      if (width === 0 || whole === levelWidth(level, oldSize)) continue;
      files.push({ path: tilePath({ level, index: (whole - width) / tileWidth, width }), bytes: row.slice(0, width * hashBytes) });
    }
    const width = this.#entries.length;
    if (width > 0) {
      files.push({
        path: tilePath({ level: "entries", index: (this.size - width) / tileWidth, width }),
        bytes: formatEntryBundle(this.#entries),
      });
    }
    return files;
  }
}
