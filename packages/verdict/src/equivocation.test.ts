import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { cosigned, testLog, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { consistencyProof } from "@quorate/tlog/merkle";
import { verifyEd25519Portable } from "@quorate/tlog/portable-ed25519";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { mutationsOf, respell } from "@quorate/tlog/respell.fixture";
import { testSigner } from "@quorate/tlog/signer.fixture";
import { VerificationError } from "@quorate/tlog/verification-error";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Equivocation, formatEquivocation, parseEquivocation, verifyEquivocation } from "./equivocation.ts";
import { PrefixTree } from "./prefix-tree.ts";

/** A tree of numbered entries; from `forkAt` on they are others. */
function treeOf(size: number, forkAt = size): PrefixTree {
  const tree = new PrefixTree(portableHasher);
  for (let index = 0; index < size; index += 1) tree.append(utf8(`${index < forkAt ? "entry" : "fork"} ${index}`));
  return tree;
}

function noteOf(tree: PrefixTree, size = tree.size): string {
  return cosigned({ size, root: tree.rootAt(size) }, testWitnesses);
}

function prefixOf(tree: PrefixTree, size: number): Required<Equivocation>["prefix"] {
  return { root: tree.rootAt(size), proof: consistencyProof(size, tree.size, (subtree) => tree.subtree(subtree)) };
}

const verify = (evidence: Equivocation, key = testLog.key) => verifyEquivocation(evidence, key, verifyEd25519Portable);

describe("an equivocation", () => {
  test("of any two histories, of one size or of two, is proved and survives its file", () => {
    const sizes = fc.record({ smaller: fc.integer({ min: 1, max: 40 }), more: fc.nat(40), fork: fc.nat(39) });
    fc.assert(
      fc.property(sizes, ({ smaller, more, fork }) => {
        const [one, other] = [treeOf(smaller, fork % smaller), treeOf(smaller + more)];
        const evidence: Equivocation = {
          notes: [noteOf(one), noteOf(other)],
          ...(more > 0 && { prefix: prefixOf(other, smaller) }),
        };
        expect(parseEquivocation(utf8(formatEquivocation(evidence)))).toEqual(evidence);
        expect(verify(evidence).map(({ size }) => size)).toEqual([smaller, smaller + more]);
      }),
      { numRuns: 20 },
    );
  });

  const honest = treeOf(9);
  const forked = treeOf(9, 3);
  const evidence: Equivocation = { notes: [noteOf(treeOf(5, 3)), noteOf(honest)], prefix: prefixOf(honest, 5) };

  const refused: [string, Equivocation, RegExp][] = [
    ["one note twice", { notes: [noteOf(honest), noteOf(honest)] }, /both notes say the same/],
    ["two sizes without a proof", { notes: evidence.notes }, /no proof that the trees differ/],
    ["a log that only grew", { notes: [noteOf(honest, 5), noteOf(honest)], prefix: prefixOf(honest, 5) }, /extends the smaller/],
    ["the larger note first", { notes: [noteOf(honest), noteOf(forked, 5)] }, /larger checkpoint comes first/],
    ["a proof of another tree", { ...evidence, prefix: prefixOf(forked, 5) }, /leads to another new root/],
    [
      "an invented root with a true proof",
      { ...evidence, prefix: { ...prefixOf(honest, 5), root: treeOf(7).rootAt(7) } },
      /leads to another old root|leads to another new root/,
    ],
  ];
  test.each(refused)("of %s is none", (_, forged, reason) => {
    expect(() => verify(forged)).toThrow(VerificationError);
    expect(() => verify(forged)).toThrow(reason);
  });

  test("that the log did not sign both halves of is none", () => {
    const stranger = testSigner(testLog.key.name, 99);
    expect(() => verify(evidence, stranger.key)).toThrow(VerificationError);
    const [first, second] = evidence.notes;
    const changed = first.replace("\n5\n", "\n6\n");
    expect(() => verify({ ...evidence, notes: [changed, second] })).toThrow(/is wrong/);
  });

  test("has a file with one spelling", () => {
    const text = formatEquivocation(evidence);
    fc.assert(
      fc.property(mutationsOf(text), (mutated) => {
        expect(respell(mutated, (body) => parseEquivocation(utf8(body.toWellFormed())), formatEquivocation)).toBe(mutated);
      }),
      { numRuns: 300 },
    );
    expect(() => parseEquivocation(utf8("{}\n"))).toThrow(ParseError);
  });
});
