import { createPublicKey, verify as verifyNative } from "node:crypto";
import { readFileSync } from "node:fs";
import { ParseError } from "@quorate/protocol/parse-error";
import { base64urlnopad, hex } from "@scure/base";
import { describe, expect, test } from "vitest";
import { formatBase64 } from "./base64.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import type { Ed25519Verify } from "./ed25519.ts";
import { parseEntryBundle } from "./entry-bundle.ts";
import { formatHash, parseHash } from "./hash.ts";
import { leafHash, rootOf, verifyConsistency, verifyInclusion } from "./merkle.ts";
import { type NoteKey, type NoteSignature, formatVkey, parseNote, parseSignatureLines, parseVkey } from "./note.ts";
import { parseTile, parseTilePath } from "./tile.ts";
import { parseTlogPolicy, verifyCosignedCheckpoint } from "./tlog-policy.ts";
import { parseTlogProof, verifyTlogProof } from "./tlog-proof.ts";
import { VerificationError } from "./verification-error.ts";
import { parseAddCheckpoint, parseTreeSize } from "./witness-request.ts";
import { verifyEd25519Portable } from "./portable-ed25519.ts";

type Valid = { name: string; input: string; expected: unknown };
type Invalid = { name: string; input: string; reason: string };

/** The vectors in test/vectors/tlog are for implementations in any language; each file says what its fields hold. */
function load<Vectors>(name: string): Vectors {
  return JSON.parse(readFileSync(new URL(`../../../test/vectors/tlog/${name}.json`, import.meta.url), "utf8"));
}

const formatKeyId = (keyId: number) => keyId.toString(16).padStart(8, "0");
const lineOf = ({ name, keyId, signature }: NoteSignature) => ({
  name,
  keyId: formatKeyId(keyId),
  signature: formatBase64(signature),
});
const witnessOf = ({ key, ...rest }: { key: NoteKey }) => ({ ...rest, key: formatVkey(key) });

/** By file: from the text to what the file's `expected` holds. */
const readers: Record<string, (input: string) => unknown> = {
  "verifier-key": (input) => {
    const { name, keyId, algorithm, publicKey } = parseVkey(input);
    return { name, keyId: formatKeyId(keyId), algorithm, publicKey: formatBase64(publicKey) };
  },
  note: (input) => {
    const { text, signatures } = parseNote(input);
    return { text, signatures: signatures.map(lineOf) };
  },
  "signature-lines": (input) => parseSignatureLines(input).map(lineOf),
  "tree-size": parseTreeSize,
  tile: (input) => parseTile({ level: 0, index: 0, width: 3 }, hex.decode(input)).map((hash) => hex.encode(hash)),
  checkpoint: (input) => {
    const { origin, size, root } = parseCheckpoint(input);
    return { origin, size, root: formatHash(root) };
  },
  "tile-path": parseTilePath,
  "entry-bundle": (input) => parseEntryBundle(hex.decode(input)).map((entry) => hex.encode(entry)),
  "add-checkpoint": (input) => {
    const { oldSize, proof, checkpoint } = parseAddCheckpoint(input);
    return { oldSize, proof: proof.map(formatHash), origin: checkpoint.origin, size: checkpoint.size };
  },
  "tlog-policy": (input) => {
    const { logs, witnesses, ...rest } = parseTlogPolicy(input);
    return { logs: logs.map(witnessOf), witnesses: witnesses.map(witnessOf), ...rest };
  },
};

describe.each(Object.entries(readers))("vectors of %s", (file, read) => {
  const { valid, invalid } = load<{ valid: Valid[]; invalid: Invalid[] }>(file);

  test.each(valid)("reads $name", ({ input, expected }) => {
    expect(read(input)).toEqual(expected);
  });

  test.each(invalid)("refuses $name: $reason", ({ input }) => {
    expect(() => read(input)).toThrow(ParseError);
  });
});

type Inclusion = { index: number; size: number; leaf: string; proof: string[]; root: string };
type Consistency = { oldSize: number; newSize: number; oldRoot: string; newRoot: string; proof: string[] };
type Cases<Claim> = { valid: Claim[]; invalid: (Claim & { reason: string })[] };

describe("vectors of merkle-proof", () => {
  const vectors = load<{ entries: string[]; roots: string[]; inclusion: Cases<Inclusion>; consistency: Cases<Consistency> }>(
    "merkle-proof",
  );
  const hash = (text: string) => parseHash("vector", text);
  const checkInclusion = ({ index, size, leaf, proof, root }: Inclusion) =>
    verifyInclusion({ index, size, leaf: hash(leaf), proof: proof.map(hash), root: hash(root) });
  const checkConsistency = ({ oldSize, newSize, oldRoot, newRoot, proof }: Consistency) =>
    verifyConsistency({ oldSize, newSize, oldRoot: hash(oldRoot), newRoot: hash(newRoot), proof: proof.map(hash) });

  test("have the roots of their entries", () => {
    const leaves = vectors.entries.map((entry) => leafHash(hex.decode(entry)));
    expect(vectors.roots.map((_, size) => hex.encode(rootOf(leaves.slice(0, size))))).toEqual(vectors.roots);
  });

  test("verify", () => {
    for (const claim of vectors.inclusion.valid) expect(checkInclusion(claim)).toBeUndefined();
    for (const claim of vectors.consistency.valid) expect(checkConsistency(claim)).toBeUndefined();
  });

  test.each(vectors.inclusion.invalid)("refuses inclusion: $reason", (claim) => {
    expect(() => checkInclusion(claim)).toThrow(VerificationError);
  });

  test.each(vectors.consistency.invalid)("refuses consistency: $reason", (claim) => {
    expect(() => checkConsistency(claim)).toThrow(VerificationError);
  });
});

const verifyOpenSsl: Ed25519Verify = (publicKey, message, signature) => {
  const key = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: base64urlnopad.encode(publicKey) } });
  return verifyNative(null, message, key, signature);
};

describe.each([
  ["the portable Ed25519", verifyEd25519Portable],
  ["OpenSSL's Ed25519", verifyOpenSsl],
])("with %s", (_, verify) => {
  describe("vectors of cosigned-checkpoint", () => {
    const vectors = load<{ policy: string; valid: Valid[]; invalid: Invalid[] }>("cosigned-checkpoint");
    const policy = parseTlogPolicy(vectors.policy);

    test.each(vectors.valid)("accepts $name", ({ input, expected }) => {
      const { checkpoint, witnesses } = verifyCosignedCheckpoint(input, policy, verify);
      expect({ size: checkpoint.size, witnesses }).toEqual(expected);
    });

    test.each(vectors.invalid)("refuses $name: $reason", ({ input }) => {
      expect(() => verifyCosignedCheckpoint(input, policy, verify)).toThrow(VerificationError);
    });
  });

  describe("vectors of tlog-proof", () => {
    const vectors = load<{ policy: string; leaf: string; valid: Valid[]; malformed: Invalid[]; unproven: Invalid[] }>("tlog-proof");
    const policy = parseTlogPolicy(vectors.policy);
    const leaf = parseHash("vector", vectors.leaf);

    test.each(vectors.valid)("accepts $name", ({ input, expected }) => {
      const proof = parseTlogProof(input);
      const { index, checkpoint } = verifyTlogProof({ proof, leaf, policy, verify });
      expect({ index, size: checkpoint.size, ...(proof.extra && { extra: formatBase64(proof.extra) }) }).toEqual(expected);
    });

    test.each(vectors.malformed)("refuses $name: $reason", ({ input }) => {
      expect(() => parseTlogProof(input)).toThrow(ParseError);
    });

    test.each(vectors.unproven)("does not verify with $name: $reason", ({ input }) => {
      expect(() => verifyTlogProof({ proof: parseTlogProof(input), leaf, policy, verify })).toThrow(VerificationError);
    });
  });
});
