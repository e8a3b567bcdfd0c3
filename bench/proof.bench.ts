import { generateKeyPairSync, sign, verify } from "node:crypto";
import { verifyP256Portable } from "@quorate/attestation/portable-p256";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { verifyP256 } from "@quorate/signing/p256-key";
import { leafHash } from "@quorate/tlog/merkle";
import { verifyEd25519Portable } from "@quorate/tlog/portable-ed25519";
import { formatTlogProof, parseTlogProof, verifyTlogProof } from "@quorate/tlog/tlog-proof";
import { parseHash } from "@quorate/tlog/hash";
import { sampleTarget } from "@quorate/attestation/nouns.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { formatProof, parseProof } from "@quorate/verdict/proof";
import { verifyProof } from "@quorate/verdict/verify-proof";
import { TestNetwork } from "../packages/verdict/src/network.fixture.ts";
import { type Figure, ratePerSecond } from "./figure.ts";

const otherEntries = 100_000;

/**
 * Checking proofs in memory, parsing included: that one entry is in a log of a hundred thousand under four witnesses, and the whole chain of a
 * verdict with three operators, beside the bare signature verifications that it needs, with OpenSSL in the same process.
 */
export async function measure(): Promise<Figure[]> {
  const network = new TestNetwork();
  network.rebuild();
  const own = network.entries.length;
  for (let index = 0; index < otherEntries; index += 1) network.appendBytes(utf8(`entry ${index}`));
  const proof = network.proof(Array.from({ length: own }, (_, index) => index));
  const policy = network.trustPolicy();
  const text = formatProof(proof);
  const artifactSha256 = sampleTarget.artifacts[0]?.sha256;
  const entry = proof.entries.at(-1);
  if (artifactSha256 === undefined || entry === undefined) throw new Error("making a proof: the sample has no artifact");
  const hashes = entry.inclusion.map((hash) => parseHash("hash of the proof", hash));
  const inclusion = formatTlogProof({ index: entry.index, hashes, noteText: proof.checkpoint });
  const leaf = leafHash(utf8(entry.envelope));

  const native = { verifyNoteSignature, hasher: nodeHasher, verify: verifyP256 };
  const portable = { verifyNoteSignature: verifyEd25519Portable, verify: verifyP256Portable };
  const chain = (using: Pick<Parameters<typeof verifyProof>[0], "verify" | "verifyNoteSignature" | "hasher">) => () =>
    void verifyProof({ proof: parseProof(text), policy, artifactSha256, ...using });
  const one = () =>
    void verifyTlogProof({
      proof: parseTlogProof(inclusion),
      leaf,
      policy: policy.witnessPolicy,
      verify: verifyNoteSignature,
      hasher: nodeHasher,
    });
  const bare = bareMilliseconds();
  const notes = 1 + policy.witnessPolicy.witnesses.length;
  const entries = countSignatures(network.entries.slice(0, own));
  const noteMilliseconds = notes * bare.ed25519;
  const chainMilliseconds = noteMilliseconds + entries * bare.p256;
  const figure = (name: string, act: () => void, [least, reference]: [number, string]): Figure => {
    const value = 1000 / ratePerSecond(act);
    return { name, value, unit: "ms", ratio: least / value, reference };
  };
  return [
    figure("verify that an entry is in the log", one, [noteMilliseconds, `${notes} bare Ed25519 verifications`]),
    figure("verify a verdict's proof", chain(native), [
      chainMilliseconds,
      `${notes} bare Ed25519 and ${entries} ECDSA P-256 verifications`,
    ]),
    figure("the same in portable code", chain(portable), [chainMilliseconds, "the same in OpenSSL"]),
  ];
}

function countSignatures(entries: readonly Uint8Array[]): number {
  return entries.reduce(
    (count, bytes) =>
      count +
      (Buffer.from(bytes)
        .toString()
        .match(/"sig":/g)?.length ?? 0),
    0,
  );
}

function bareMilliseconds(): { ed25519: number; p256: number } {
  const message = Buffer.alloc(32, 7);
  const ed25519 = generateKeyPairSync("ed25519");
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [noteSignature, entrySignature] = [sign(null, message, ed25519.privateKey), sign("sha256", message, p256.privateKey)];
  return {
    ed25519: 1000 / ratePerSecond(() => verify(null, message, ed25519.publicKey, noteSignature)),
    p256: 1000 / ratePerSecond(() => verify("sha256", message, p256.publicKey, entrySignature)),
  };
}
