import { generateKeyPairSync } from "node:crypto";
import { formatHashedRekord, hashedRekordOf } from "@quorate/attestation/hashed-rekord";
import { parseEntry } from "@quorate/attestation/log-statement";
import { sampleBuilt } from "@quorate/attestation/nouns.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { formatCheckpoint } from "@quorate/tlog/checkpoint";
import { cosigned, testLog, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { flippedBit } from "@quorate/tlog/flipped-bit.fixture";
import { type ReadSubtree, inclusionProof, leafHash, rootOf } from "@quorate/tlog/merkle";
import { signNote } from "@quorate/tlog/note";
import { VerificationError } from "@quorate/tlog/verification-error";
import { describe, expect, test } from "vitest";
import { formatBundle, verifyBundle } from "./bundle.ts";
import { signStatement } from "./envelope.ts";
import { nodeHasher } from "./node-hasher.ts";
import { p256SignerOf } from "./p256-key.ts";
import { formatTlogEntry, formatTrustedRoot } from "./tlog-entry.ts";

const newSigner = () => p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const [ada, bert] = [newSigner(), newSigner()];
const statement = { kind: "result", result: sampleBuilt } as const;
const { envelope } = parseEntry(signStatement(statement, [ada]));
const record = hashedRekordOf(envelope, ada.spki, nodeHasher);
const index = 3;
const leaves = ["a", "b", "c", "", "e", "f", "g"].map((name) =>
  leafHash(name === "" ? formatHashedRekord(record) : utf8(name), nodeHasher),
);
const readSubtree: ReadSubtree = ({ level, index }) => rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level), nodeHasher);
const checkpoint = { origin: testLog.key.name, size: leaves.length, root: rootOf(leaves, nodeHasher) };
const proof = inclusionProof(index, leaves.length, readSubtree, nodeHasher);
const trustedRoot = formatTrustedRoot(testLog.key);
const logged = (note = cosigned(checkpoint, testWitnesses)) =>
  formatTlogEntry({ record, index, proof, checkpoint, note, logKey: testLog.key });
const bundle = formatBundle(envelope, ada.spki, logged());

/** The bundle with one of its parts changed. */
function altered(change: (bundle: ReturnType<typeof JSON.parse>) => void): string {
  const parsed = JSON.parse(bundle);
  change(parsed);
  return JSON.stringify(parsed);
}

describe("a bundle with a log entry", () => {
  test("verifies by key and trusted root, although witnesses cosigned the checkpoint", () => {
    expect(cosigned(checkpoint, testWitnesses).split("\n— ").length).toBeGreaterThan(2);
    expect(verifyBundle(bundle, ada.spki, trustedRoot)).toEqual(statement);
  });

  test("without it none verifies by a trusted root", () => {
    expect(() => verifyBundle(formatBundle(envelope, ada.spki), ada.spki, trustedRoot)).toThrow(VerificationError);
  });

  const entryOf = (parsed: ReturnType<typeof JSON.parse>) => parsed.verificationMaterial.tlogEntries[0];
  test.each<[string, (parsed: ReturnType<typeof JSON.parse>) => void]>([
    ["payload", (parsed) => (parsed.dsseEnvelope.payload = flippedBit(parsed.dsseEnvelope.payload))],
    ["signature", (parsed) => (parsed.dsseEnvelope.signatures[0].sig = flippedBit(parsed.dsseEnvelope.signatures[0].sig))],
    ["record", (parsed) => (entryOf(parsed).canonicalizedBody = flippedBit(entryOf(parsed).canonicalizedBody))],
    ["proof", (parsed) => (entryOf(parsed).inclusionProof.hashes[0] = flippedBit(entryOf(parsed).inclusionProof.hashes[0]))],
    [
      "root beside the checkpoint",
      (parsed) => (entryOf(parsed).inclusionProof.rootHash = flippedBit(entryOf(parsed).inclusionProof.rootHash)),
    ],
    ["size beside the checkpoint", (parsed) => (entryOf(parsed).inclusionProof.treeSize = "8")],
    ["index beside the proof", (parsed) => (entryOf(parsed).logIndex = "2")],
    ["time", (parsed) => (entryOf(parsed).integratedTime = "1764000000")],
    ["index", (parsed) => (entryOf(parsed).inclusionProof.logIndex = "2")],
    [
      "size",
      (parsed) =>
        (entryOf(parsed).inclusionProof.checkpoint.envelope = entryOf(parsed).inclusionProof.checkpoint.envelope.replace("\n7\n", "\n8\n")),
    ],
  ])("whose %s is altered is refused", (_, change) => {
    expect(() => verifyBundle(altered(change), ada.spki, trustedRoot)).toThrow(VerificationError);
  });

  test("is refused by another operator's key, by another log's root, and under a checkpoint that the log did not sign", () => {
    const [other] = [{ ...testLog.key, publicKey: new Uint8Array(32).fill(7) }];
    const forged = signNote(formatCheckpoint(checkpoint), [{ key: testLog.key, sign: () => new Uint8Array(64) }]);
    expect(() => verifyBundle(bundle, bert.spki, trustedRoot)).toThrow(VerificationError);
    expect(() => verifyBundle(bundle, ada.spki, formatTrustedRoot(other))).toThrow(VerificationError);
    expect(() => verifyBundle(formatBundle(envelope, ada.spki, logged(forged)), ada.spki, trustedRoot)).toThrow(VerificationError);
  });
});
