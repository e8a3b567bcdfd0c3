import { type Hash, hashBytes, hashFrom } from "@quorate/tlog/hash";
import { type Hasher, MerkleFrontier, foldSubtrees } from "@quorate/tlog/merkle";
import { type Subtree, subtreesOf } from "@quorate/tlog/subtree";

/**
 * A growing tree that remembers the root of every size that it had. It keeps each complete subtree's hash, 64 bytes a leaf in all, in a few
 * large buffers.
 */
export class PrefixTree {
  readonly #hasher: Hasher;
  readonly #frontier: MerkleFrontier;
  readonly #levels: Uint8Array[] = [];

  constructor(hasher: Hasher) {
    this.#hasher = hasher;
    this.#frontier = MerkleFrontier.empty(hasher);
  }

  get size(): number {
    return this.#frontier.size;
  }

  append(entry: Uint8Array): void {
    this.appendLeaf(this.#hasher.leaf(entry));
  }

  appendLeaf(leaf: Hash): void {
    const index = this.#frontier.size;
    this.#frontier.append(leaf, (level, hash) => this.#keep({ level, index: Math.floor(index / 2 ** level) }, hash));
  }

  /** The root of the tree of the first `size` entries. @throws RangeError when there are not as many */
  rootAt(size: number): Hash {
    if (!Number.isSafeInteger(size) || size < 0 || size > this.size)
      throw new RangeError(`no tree of size ${size} among ${this.size} entries`);
    const hashes = subtreesOf({ start: 0, end: size }).map((subtree) => this.subtree(subtree));
    return foldSubtrees(hashes, this.#hasher);
  }

  /** The hash of a complete subtree. @throws RangeError when there is no such one */
  subtree({ level, index }: Subtree): Hash {
    const kept = this.#levels[level];
    if (kept === undefined || (index + 1) * 2 ** level > this.size) throw new RangeError(`no complete subtree ${index} of level ${level}`);
    return hashFrom(kept.subarray(index * hashBytes, (index + 1) * hashBytes));
  }

  #keep({ level, index }: Subtree, hash: Hash): void {
    const end = (index + 1) * hashBytes;
    const kept = this.#levels[level] ?? new Uint8Array(64 * hashBytes);
    const buffer = kept.length >= end ? kept : grown(kept);
    buffer.set(hash, index * hashBytes);
    this.#levels[level] = buffer;
  }
}

function grown(buffer: Uint8Array): Uint8Array {
  const larger = new Uint8Array(buffer.length * 2);
  larger.set(buffer);
  return larger;
}
