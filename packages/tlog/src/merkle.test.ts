import { hex } from "@scure/base";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Hash, hashFrom } from "./hash.ts";
import {
  MerkleFrontier,
  type ReadSubtree,
  consistencyProof,
  emptyRoot,
  foldSubtrees,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from "./merkle.ts";
import { splitOf, subtreesOf } from "./subtree.ts";
import { VerificationError } from "./verification-error.ts";

const largest = 70;
const leaves = Array.from({ length: 600 }, (_, index) => leafHash(Uint8Array.of(index >> 8, index & 255)));

/** The definition in RFC 6962 §2.1, word for word: slow and plainly right. */
function definedRoot(hashes: readonly Hash[]): Hash {
  const [first] = hashes;
  if (first === undefined) return emptyRoot;
  if (hashes.length === 1) return first;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(definedRoot(hashes.slice(0, split)), definedRoot(hashes.slice(split)));
}

const roots = Array.from({ length: largest + 1 }, (_, size) => definedRoot(leaves.slice(0, size)));
const root = (size: number): Hash => roots[size] ?? definedRoot(leaves.slice(0, size));
const leaf = (index: number): Hash => leaves[index] ?? emptyRoot;
const read: ReadSubtree = ({ level, index }) => definedRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));

function flipped(hash: Hash, bit: number): Hash {
  const copy = Uint8Array.from(hash);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return hashFrom(copy);
}

function changed(proof: readonly Hash[], bit: number): Hash[][] {
  return proof.map((hash, at) => proof.with(at, flipped(hash, bit)));
}

/** Proofs of another length, with a hash changed, or with two hashes swapped. */
function mutations(proof: readonly Hash[], bit: number): Hash[][] {
  return [
    [...proof, emptyRoot],
    [emptyRoot, ...proof],
    ...proof.map((_, at) => proof.filter((_, index) => index !== at)),
    ...changed(proof, bit),
    ...proof.slice(1).map((hash, at) => proof.with(at, hash).with(at + 1, proof[at] ?? hash)),
  ];
}

describe("roots", () => {
  test("are those of the test vectors of Certificate Transparency", () => {
    const entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const known = [
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    const hashes = entries.map((entry) => leafHash(hex.decode(entry)));
    expect(known.map((_, size) => hex.encode(rootOf(hashes.slice(0, size))))).toEqual(known);
  });

  test("are as RFC 6962 defines them, for every size up to 70", () => {
    for (const [size, expected] of roots.entries()) expect(rootOf(leaves.slice(0, size))).toEqual(expected);
  });
});

describe("a frontier", () => {
  test("has the root of every size on the way", () => {
    const frontier = MerkleFrontier.empty();
    for (let size = 0; size <= largest; size += 1) {
      expect([frontier.size, frontier.root()]).toEqual([size, root(size)]);
      frontier.append(leaf(size));
    }
  });

  test("goes on from its complete subtrees, and from a copy, without touching the original", () => {
    for (let size = 0; size < largest; size += 1) {
      const whole = MerkleFrontier.empty();
      for (const hash of leaves.slice(0, size)) whole.append(hash);
      const restored = MerkleFrontier.restore({ size, peaks: whole.peaks });
      const copy = restored.clone();
      copy.append(leaf(size));
      expect([restored.root(), copy.root()]).toEqual([root(size), root(size + 1)]);
    }
  });

  test("names each subtree that an append completes", () => {
    const seen: string[] = [];
    const frontier = MerkleFrontier.empty();
    for (const hash of leaves.slice(0, 4)) frontier.append(hash, (level, subtree) => seen.push(`${level} ${hex.encode(subtree)}`));
    const expected = [
      [0, 0],
      [0, 1],
      [1, 0],
      [0, 2],
      [0, 3],
      [1, 1],
      [2, 0],
    ] as const;
    expect(seen).toEqual(expected.map(([level, index]) => `${level} ${hex.encode(read({ level, index }))}`));
  });

  test("refuses subtrees that do not fit the size", () => {
    expect(() => MerkleFrontier.restore({ size: 3, peaks: [emptyRoot] })).toThrow("1 subtrees instead of 2");
  });
});

describe("an inclusion proof", () => {
  test("verifies for every entry of every tree up to 70, and at no other index", () => {
    for (let size = 1; size <= largest; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof(index, size, read);
        verifyInclusion({ index, size, leaf: leaf(index), proof, root: root(size) });
        expect(() => verifyInclusion({ index: (index + 1) % (size + 1), size, leaf: leaf(index), proof, root: root(size) })).toThrow(
          VerificationError,
        );
      }
    }
  }, 60_000);

  test("is refused when anything in it is changed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.nat(599), fc.nat(255), (size, at, bit) => {
        const index = at % size;
        const claim = { index, size, leaf: leaf(index), proof: inclusionProof(index, size, read), root: root(size) };
        verifyInclusion(claim);
        for (const proof of mutations(claim.proof, bit)) expect(() => verifyInclusion({ ...claim, proof })).toThrow(VerificationError);
        expect(() => verifyInclusion({ ...claim, leaf: flipped(claim.leaf, bit) })).toThrow(VerificationError);
        expect(() => verifyInclusion({ ...claim, root: flipped(claim.root, bit) })).toThrow(VerificationError);
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    [0, 0],
    [5, 5],
    [-1, 5],
    [0.5, 5],
    [0, 2 ** 53],
  ])("is refused for entry %d of a tree of %d", (index, size) => {
    expect(() => verifyInclusion({ index, size, leaf: leaf(0), proof: [], root: leaf(0) })).toThrow("there is no such entry");
    expect(() => inclusionProof(index, size, read)).toThrow(RangeError);
  });

  test("of the largest tree has 53 hashes", () => {
    expect(inclusionProof(0, Number.MAX_SAFE_INTEGER, () => emptyRoot)).toHaveLength(53);
  });
});

describe("a consistency proof", () => {
  test("verifies between every two sizes up to 70", () => {
    for (let newSize = 0; newSize <= largest; newSize += 1) {
      for (let oldSize = 0; oldSize <= newSize; oldSize += 1) {
        const proof = consistencyProof(oldSize, newSize, read);
        const claim = { oldSize, newSize, oldRoot: root(oldSize), newRoot: root(newSize), proof };
        expect(verifyConsistency(claim)).toBeUndefined();
      }
    }
  }, 60_000);

  test("is refused when anything in it is changed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.nat(599), fc.nat(255), (newSize, at, bit) => {
        const oldSize = 1 + (at % newSize);
        const proof = consistencyProof(oldSize, newSize, read);
        const claim = { oldSize, newSize, oldRoot: root(oldSize), newRoot: root(newSize), proof };
        verifyConsistency(claim);
        for (const changed of mutations(proof, bit))
          expect(() => verifyConsistency({ ...claim, proof: changed })).toThrow(VerificationError);
        expect(() => verifyConsistency({ ...claim, oldRoot: flipped(claim.oldRoot, bit) })).toThrow(VerificationError);
        expect(() => verifyConsistency({ ...claim, newRoot: flipped(claim.newRoot, bit) })).toThrow(VerificationError);
      }),
      { numRuns: 40 },
    );
  });

  test("is refused when the tree shrinks, forks at one size, or starts from a root that is not the empty one", () => {
    const claim = { oldSize: 3, newSize: 3, oldRoot: root(3), newRoot: root(3), proof: [] };
    expect(() => verifyConsistency({ ...claim, newSize: 2 })).toThrow("the tree cannot shrink");
    expect(() => verifyConsistency({ ...claim, newRoot: root(4) })).toThrow("one size, two roots");
    expect(() => verifyConsistency({ ...claim, oldSize: 0 })).toThrow("the old root is not the empty tree's");
    expect(() => verifyConsistency({ ...claim, oldSize: 0, newSize: 0, oldRoot: emptyRoot })).toThrow(
      "the new root is not the empty tree's",
    );
    expect(() => verifyConsistency({ ...claim, oldSize: 0, oldRoot: emptyRoot, proof: [emptyRoot] })).toThrow("1 hashes instead of 0");
  });
});

test("proofs verify in trees of any size up to 2^53 - 1, and not with a hash changed", () => {
  // All entries are the same here, so that the hash of a subtree depends on its level only.
  const byLevel = [leaf(0)];
  for (let level = 1; level <= 53; level += 1) byLevel.push(nodeHash(byLevel[level - 1] ?? emptyRoot, byLevel[level - 1] ?? emptyRoot));
  const readLevel: ReadSubtree = ({ level }) => byLevel[level] ?? emptyRoot;
  const rootAt = (size: number) => foldSubtrees(subtreesOf({ start: 0, end: size }).map(readLevel));
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.nat(255), (some, other, bit) => {
      fc.pre(some !== other);
      const [low, size] = [Math.min(some, other), Math.max(some, other)];
      const included = { index: low, size, leaf: leaf(0), proof: inclusionProof(low, size, readLevel), root: rootAt(size) };
      verifyInclusion(included);
      const old = {
        oldSize: low,
        newSize: size,
        oldRoot: rootAt(low),
        newRoot: rootAt(size),
        proof: consistencyProof(low, size, readLevel),
      };
      verifyConsistency(old);
      for (const proof of [...changed(included.proof, bit), [...included.proof, emptyRoot]]) {
        expect(() => verifyInclusion({ ...included, proof })).toThrow(VerificationError);
      }
      for (const proof of [...changed(old.proof, bit), [...old.proof, emptyRoot]]) {
        expect(() => verifyConsistency({ ...old, proof })).toThrow(VerificationError);
      }
    }),
    {
      numRuns: 60,
      examples: [
        [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER, 0],
        [0, Number.MAX_SAFE_INTEGER, 0],
        [2 ** 52, 2 ** 52 + 1, 0],
      ],
    },
  );
});

test("a tree splits at the largest power of two below its size, up to the largest size", () => {
  for (let exponent = 1; exponent <= 52; exponent += 1) {
    const power = 2 ** exponent;
    expect([splitOf(power), splitOf(power + 1)]).toEqual([power / 2, power]);
  }
  expect(splitOf(Number.MAX_SAFE_INTEGER)).toBe(2 ** 52);
});
