import { sha256 } from "@noble/hashes/sha2.js";
import type { Sha256 } from "@quorate/protocol/digest";
import { type Hash, equalHashes, hashBytes, hashFrom } from "./hash.ts";
import { portableHasher } from "./portable-hasher.ts";
import { type LeafRange, type Subtree, consistencyRanges, inclusionRanges, isTreeSize, subtreesOf } from "./subtree.ts";
import { VerificationError } from "./verification-error.ts";

/** How leaves and nodes are hashed; SHA-256 always, by an implementation as fast as the place allows. */
export type Hasher = {
  /** SHA-256(0x00 ‖ entry) */
  readonly leaf: (entry: Uint8Array) => Hash;
  /** SHA-256(0x01 ‖ left ‖ right) */
  readonly node: (left: Hash, right: Hash) => Hash;
  /** Of hashes one after the other those of the level above: SHA-256(0x01 ‖ left ‖ right) of each two; a last one without a sibling stays. */
  readonly parents: (hashes: Uint8Array) => Uint8Array;
  /** SHA-256(bytes), for whoever hashes the same entries for other reasons. */
  readonly digest: (bytes: Uint8Array) => Sha256;
};

/** The root of a tree without leaves: SHA-256 of nothing (RFC 6962 §2.1). */
export const emptyRoot: Hash = hashFrom(sha256(new Uint8Array(0)));

/** The hash of a complete subtree of the tree. */
export type ReadSubtree = (subtree: Subtree) => Hash;

/** SHA-256(0x00 ‖ entry), RFC 6962 §2.1. */
export function leafHash(entry: Uint8Array, hasher: Hasher = portableHasher): Hash {
  return hasher.leaf(entry);
}

/** SHA-256(0x01 ‖ left ‖ right), RFC 6962 §2.1. */
export function nodeHash(left: Hash, right: Hash, hasher: Hasher = portableHasher): Hash {
  return hasher.node(left, right);
}

/** The Merkle tree hash of these leaves. */
export function rootOf(leaves: readonly Hash[], hasher: Hasher = portableHasher): Hash {
  if (leaves.length === 0) return emptyRoot;
  let level: Uint8Array = new Uint8Array(leaves.length * hashBytes);
  for (const [index, leaf] of leaves.entries()) level.set(leaf, index * hashBytes);
  while (level.length > hashBytes) level = hasher.parents(level);
  return hashFrom(level);
}

/** Called with each subtree that an append completes, from the leaf upwards. */
export type SubtreeListener = (level: number, hash: Hash) => void;

/**
 * A growing tree reduced to its right edge: the roots of the complete subtrees of `subtreesOf({ start: 0, end: size })`.
 * An append costs one node hash on average, a root at most 52.
 */
export class MerkleFrontier {
  readonly #hasher: Hasher;
  readonly #peaks: Hash[];
  #size: number;

  private constructor(hasher: Hasher, peaks: Hash[], size: number) {
    this.#hasher = hasher;
    this.#peaks = peaks;
    this.#size = size;
  }

  /** The empty tree. */
  static empty(hasher: Hasher = portableHasher): MerkleFrontier {
    return new MerkleFrontier(hasher, [], 0);
  }

  /** A tree of `size` from the hashes of its complete subtrees, left to right. */
  static restore({ size, peaks, hasher = portableHasher }: { size: number; peaks: readonly Hash[]; hasher?: Hasher }): MerkleFrontier {
    const expected = subtreesOf({ start: 0, end: size }).length;
    if (peaks.length !== expected) throw new RangeError(`restoring a tree of ${size}: ${peaks.length} subtrees instead of ${expected}`);
    return new MerkleFrontier(hasher, [...peaks], size);
  }

  get size(): number {
    return this.#size;
  }

  get peaks(): readonly Hash[] {
    return this.#peaks;
  }

  append(leaf: Hash, onSubtree?: SubtreeListener): void {
    if (this.#size === Number.MAX_SAFE_INTEGER) throw new RangeError("appending to a tree: it is full");
    let hash = leaf;
    onSubtree?.(0, hash);
    let level = 0;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#peaks.pop();
      if (left === undefined) throw new RangeError("appending to a tree: a subtree is missing");
      hash = this.#hasher.node(left, hash);
      level += 1;
      onSubtree?.(level, hash);
    }
    this.#peaks.push(hash);
    this.#size += 1;
  }

  root(): Hash {
    return foldSubtrees(this.#peaks, this.#hasher);
  }

  /** A copy that grows on its own, for work that may be thrown away. */
  clone(): MerkleFrontier {
    return new MerkleFrontier(this.#hasher, [...this.#peaks], this.#size);
  }
}

/**
 * The inclusion proof of the leaf at `index` in the tree of `size` leaves, from the leaf's sibling up (RFC 6962 §2.1.1).
 *
 * @throws RangeError unless 0 ≤ index < size
 */
export function inclusionProof(index: number, size: number, read: ReadSubtree, hasher: Hasher = portableHasher): Hash[] {
  return inclusionRanges(index, size).map((range) => hashOfRange(range, read, hasher));
}

/**
 * Checks that `leaf` is at `index` of the tree of `size` leaves with this `root` (RFC 6962 §2.1.1).
 *
 * @throws VerificationError
 */
export function verifyInclusion(claim: {
  index: number;
  size: number;
  leaf: Hash;
  proof: readonly Hash[];
  root: Hash;
  hasher?: Hasher;
}): void {
  const { index, size, proof, root, hasher = portableHasher } = claim;
  const what = `verifying inclusion of entry ${index} in the tree of ${size}`;
  if (!isTreeSize(size) || !isTreeSize(index) || index >= size) throw new VerificationError(`${what}: there is no such entry`);
  const ranges = inclusionRanges(index, size);
  if (proof.length !== ranges.length) throw new VerificationError(`${what}: ${proof.length} hashes instead of ${ranges.length}`);
  let hash = claim.leaf;
  for (const [step, range] of ranges.entries()) {
    const sibling = at(proof, step);
    hash = range.start > index ? hasher.node(hash, sibling) : hasher.node(sibling, hash);
  }
  if (!equalHashes(hash, root)) throw new VerificationError(`${what}: the proof leads to another root`);
}

/**
 * The consistency proof from the tree of `oldSize` to the tree of `newSize` (RFC 6962 §2.1.2); empty when they are equal or the
 * old tree is empty.
 *
 * @throws RangeError unless 0 ≤ oldSize ≤ newSize
 */
export function consistencyProof(oldSize: number, newSize: number, read: ReadSubtree, hasher: Hasher = portableHasher): Hash[] {
  return consistencyRanges(oldSize, newSize).map((range) => hashOfRange(range, read, hasher));
}

/**
 * Checks that the tree of `newSize` leaves begins with the tree of `oldSize` leaves (RFC 6962 §2.1.2). Nothing can be said of a tree
 * that follows the empty one but that the old root is the empty root.
 *
 * @throws VerificationError
 */
export function verifyConsistency(claim: {
  oldSize: number;
  newSize: number;
  oldRoot: Hash;
  newRoot: Hash;
  proof: readonly Hash[];
  hasher?: Hasher;
}): void {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim;
  const what = `verifying consistency from tree size ${oldSize} to ${newSize}`;
  if (!isTreeSize(oldSize) || !isTreeSize(newSize) || oldSize > newSize) throw new VerificationError(`${what}: the tree cannot shrink`);
  if (oldSize === 0 && !equalHashes(oldRoot, emptyRoot)) throw new VerificationError(`${what}: the old root is not the empty tree's`);
  if (newSize === 0 && !equalHashes(newRoot, emptyRoot)) throw new VerificationError(`${what}: the new root is not the empty tree's`);
  const expected = consistencyRanges(oldSize, newSize).length;
  if (proof.length !== expected) throw new VerificationError(`${what}: ${proof.length} hashes instead of ${expected}`);
  if (oldSize === newSize && !equalHashes(oldRoot, newRoot)) throw new VerificationError(`${what}: one size, two roots`);
  if (oldSize === 0) return;
  const roots = rootsFromConsistency(claim);
  if (!equalHashes(roots.old, oldRoot)) throw new VerificationError(`${what}: the proof leads to another old root`);
  if (!equalHashes(roots.new, newRoot)) throw new VerificationError(`${what}: the proof leads to another new root`);
}

function rootsFromConsistency(claim: Parameters<typeof verifyConsistency>[0]): { old: Hash; new: Hash } {
  const { oldSize, newSize, oldRoot, proof, hasher = portableHasher } = claim;
  let roots = { old: oldRoot, new: oldRoot };
  for (const [step, range] of consistencyRanges(oldSize, newSize).entries()) {
    const hash = at(proof, step);
    if (range.end === oldSize) roots = { old: hash, new: hash };
    else if (range.start >= oldSize) roots = { old: roots.old, new: hasher.node(roots.new, hash) };
    else roots = { old: hasher.node(hash, roots.old), new: hasher.node(hash, roots.new) };
  }
  return roots;
}

/** The hash of a range whose complete subtrees' hashes are given from left to right. */
export function foldSubtrees(hashes: readonly Hash[], hasher: Hasher = portableHasher): Hash {
  if (hashes.length === 0) return emptyRoot;
  return hashes.reduceRight((right, left) => hasher.node(left, right));
}

function hashOfRange(range: LeafRange, read: ReadSubtree, hasher: Hasher): Hash {
  return foldSubtrees(subtreesOf(range).map(read), hasher);
}

function at(hashes: readonly Hash[], index: number): Hash {
  const hash = hashes[index];
  if (hash === undefined) throw new RangeError(`reading a proof: it has no hash ${index}`);
  return hash;
}
