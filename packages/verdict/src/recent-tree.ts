import { type Hash, equalHashes } from "@quorate/tlog/hash";
import { type Hasher, foldSubtrees } from "@quorate/tlog/merkle";
import { subtreesOf } from "@quorate/tlog/subtree";
import { tileWidth } from "@quorate/tlog/tile";
import { VerificationError } from "@quorate/tlog/verification-error";
import { PrefixTree } from "./prefix-tree.ts";

/** Of as many tiles the leaves stay in memory: a round's seed is seldom older. */
const recentTiles = 256;

/** The leaves of a complete tile of level 0 as the log serves it; whoever asks checks what comes. */
export type LoadLeaves = (tile: number) => Promise<readonly Hash[]>;

/**
 * A growing tree that knows the root of every size that it had. It keeps one hash of each 256 leaves, and the leaves of its right edge; older
 * ones are read again, and known by that hash.
 */
export class RecentTree {
  readonly #hasher: Hasher;
  readonly #loadLeaves: LoadLeaves;
  /** Over the roots of complete tiles. */
  readonly #upper: PrefixTree;
  readonly #tiles = new Map<number, PrefixTree>();

  constructor(hasher: Hasher, loadLeaves: LoadLeaves) {
    this.#hasher = hasher;
    this.#loadLeaves = loadLeaves;
    this.#upper = new PrefixTree(hasher);
  }

  /** The tree of which these are the roots of complete tiles and the leaves after them. */
  static restore(known: { hasher: Hasher; loadLeaves: LoadLeaves; tileRoots: readonly Hash[]; leaves: readonly Hash[] }): RecentTree {
    const tree = new RecentTree(known.hasher, known.loadLeaves);
    for (const root of known.tileRoots) tree.#upper.appendLeaf(root);
    for (const leaf of known.leaves) tree.append(leaf);
    return tree;
  }

  get size(): number {
    return this.#upper.size * tileWidth + (this.#tiles.get(this.#upper.size)?.size ?? 0);
  }

  append(leaf: Hash): void {
    const index = this.#upper.size;
    const tile = this.#tiles.get(index) ?? new PrefixTree(this.#hasher);
    this.#tiles.set(index, tile);
    tile.appendLeaf(leaf);
    if (tile.size < tileWidth) return;
    this.#upper.appendLeaf(tile.rootAt(tileWidth));
    this.#tiles.delete(index - recentTiles);
  }

  /**
   * The root of the tree of the first `size` leaves.
   *
   * @throws RangeError when there are not as many
   * @throws VerificationError when the log now has other leaves than it had
   */
  async rootAt(size: number): Promise<Hash> {
    if (!Number.isSafeInteger(size) || size < 0 || size > this.size)
      throw new RangeError(`no tree of size ${size} among ${this.size} entries`);
    const [tiles, rest] = [Math.floor(size / tileWidth), size % tileWidth];
    const upper = subtreesOf({ start: 0, end: tiles }).map((subtree) => this.#upper.subtree(subtree));
    if (rest === 0) return foldSubtrees(upper, this.#hasher);
    const tile = this.#tiles.get(tiles) ?? (await this.#reload(tiles));
    return foldSubtrees([...upper, ...subtreesOf({ start: 0, end: rest }).map((subtree) => tile.subtree(subtree))], this.#hasher);
  }

  async #reload(index: number): Promise<PrefixTree> {
    const tile = new PrefixTree(this.#hasher);
    for (const leaf of await this.#loadLeaves(index)) tile.appendLeaf(leaf);
    const root = this.#upper.subtree({ level: 0, index });
    if (tile.size !== tileWidth || !equalHashes(tile.rootAt(tileWidth), root)) {
      throw new VerificationError(`replaying: tile ${index} of the log, read again, does not have the leaves that it had`);
    }
    return tile;
  }
}
