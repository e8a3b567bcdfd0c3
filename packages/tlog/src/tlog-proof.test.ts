import { ParseError } from "@quorate/protocol/parse-error";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cosigned, testLog, testWitnesses } from "./cosigned.fixture.ts";
import { type Hash, hashFrom } from "./hash.ts";
import { emptyRoot, inclusionProof, leafHash, rootOf } from "./merkle.ts";
import { formatVkey } from "./note.ts";
import { mutationsOf, respell } from "./respell.fixture.ts";
import { parseTlogPolicy } from "./tlog-policy.ts";
import { type TlogProof, formatTlogProof, parseTlogProof, verifyTlogProof } from "./tlog-proof.ts";
import { VerificationError } from "./verification-error.ts";
import { verifyEd25519Portable } from "./portable-ed25519.ts";

const leaves = Array.from({ length: 11 }, (_, index) => leafHash(Uint8Array.of(index)));
const noteText = cosigned({ size: 11, root: rootOf(leaves) }, testWitnesses.slice(0, 1));
const witness = testWitnesses.slice(0, 1).map(({ key }) => `witness w ${formatVkey(key)}\n`);
const policy = parseTlogPolicy(`log ${formatVkey(testLog.key)}\n${witness.join("")}quorum w\n`);
const subtree = ({ level, index }: { level: number; index: number }) => rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
const proofOf = (index: number): TlogProof => ({ index, hashes: inclusionProof(index, 11, subtree), noteText });
const leaf = (index: number): Hash => leaves[index] ?? emptyRoot;

const sample = formatTlogProof({ ...proofOf(4), extra: Uint8Array.of(1) });

describe("a tlog-proof", () => {
  test("of any extra data, index and hashes is read back", () => {
    const hashes = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hashFrom), { maxLength: 63 });
    fc.assert(
      fc.property(fc.option(fc.uint8Array({ minLength: 1 }), { nil: undefined }), fc.maxSafeNat(), hashes, (extra, index, lines) => {
        const proof: TlogProof = { ...(extra && { extra }), index, hashes: lines, noteText };
        expect(parseTlogProof(formatTlogProof(proof))).toEqual(proof);
      }),
      { numRuns: 30 },
    );
  });

  test("has no second spelling", () => {
    const pieces = fc.constantFrom(
      "c2sp.org/tlog-proof@v1\n",
      "extra ",
      "extra YQ==\n",
      "index ",
      "1\n",
      "01\n",
      "index 4\n",
      "\n",
      "A",
      `${"A".repeat(43)}=\n`,
    );
    fc.assert(
      fc.property(
        fc.oneof(
          mutationsOf(sample),
          fc.array(pieces, { maxLength: 8 }).map((parts) => `c2sp.org/tlog-proof@v1\n${parts.join("")}\n${noteText}`),
        ),
        (text) => {
          expect(respell(text, parseTlogProof, formatTlogProof)).toBe(text);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["another version", sample.replace("@v1", "@v2")],
    ["empty extra data", sample.replace("extra AQ==", "extra ")],
    ["extra data with stray bits", sample.replace("extra AQ==", "extra AR==")],
    ["extra data after the index", sample.replace("extra AQ==\nindex 4", "index 4\nextra AQ==")],
    ["no index", sample.replace("index 4\n", "")],
    ["an index with a leading zero", sample.replace("index 4", "index 04")],
    ["a hash of 31 bytes", sample.replace("index 4\n", `index 4\n${"A".repeat(42)}==\n`)],
    ["64 hashes", sample.replace("index 4\n", `index 4\n${`${"A".repeat(43)}=\n`.repeat(64)}`)],
    ["no checkpoint", sample.slice(0, sample.indexOf("\n\n") + 2)],
    ["a checkpoint with an extension line", sample.replace("\n\n— ", "\nmore\n\n— ")],
    ["a carriage return", sample.replace("@v1\n", "@v1\r\n")],
  ])("with %s is refused", (_, text) => {
    expect(() => parseTlogProof(text)).toThrow(ParseError);
  });
});

describe("verifying a tlog-proof", () => {
  test("returns index, checkpoint and witnesses for every entry", () => {
    for (const index of leaves.keys()) {
      const proof = parseTlogProof(formatTlogProof(proofOf(index)));
      const verified = verifyTlogProof({ proof, leaf: leaf(index), policy, verify: verifyEd25519Portable });
      expect(verified).toMatchObject({ index, checkpoint: { size: 11 }, witnesses: [{ name: "w", time: 1000 }] });
    }
  });

  test("refuses another entry, another index, another hash, and a checkpoint below the quorum", () => {
    const proof = proofOf(4);
    const refused = (change: Partial<TlogProof>, entry = leaf(4)) =>
      expect(() => verifyTlogProof({ proof: { ...proof, ...change }, leaf: entry, policy, verify: verifyEd25519Portable })).toThrow(
        VerificationError,
      );
    refused({}, leaf(5));
    refused({ index: 5 });
    refused({ index: 11 });
    refused({ hashes: proof.hashes.slice(1) });
    refused({ hashes: proof.hashes.with(0, emptyRoot) });
    refused({ noteText: cosigned({ size: 11, root: rootOf(leaves) }, []) });
    refused({ noteText: cosigned({ size: 11, root: emptyRoot }, testWitnesses) });
  });
});
