import { digestOf, manyArtifacts, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { verifyP256Portable } from "@quorate/attestation/portable-p256";
import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { parseEntry } from "@quorate/attestation/log-statement";
import { formatEnvelope, pae, parseEnvelope } from "@quorate/attestation/dsse";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { verifyEd25519Portable } from "@quorate/tlog/portable-ed25519";
import { describe, expect, test } from "vitest";
import { TestNetwork } from "./network.fixture.ts";
import { names, prepared, refusalAtEnd, replayed } from "./replay.fixture.ts";
import { type Proof, formatProof, parseProof } from "./proof.ts";
import { verifyProof } from "./verify-proof.ts";

const large = { result: { artifacts: manyArtifacts } };

/** A log in which every result is too large for an entry. */
function withLargeResults(): TestNetwork {
  const network = new TestNetwork();
  network.rebuild(names, () => large);
  return network;
}

/** A round in which one operator has committed to a large result. */
function committedToLarge() {
  const network = prepared();
  const round = network.roundFor();
  network.appendRound(round);
  const result = network.signResult("ada", { round, ...large });
  network.commit(result);
  return { network, result };
}

describe("replaying large envelopes", () => {
  test("gives the verdict that entries would give", async () => {
    const network = withLargeResults();
    expect(network.largeEnvelopes.size).toBe(3);
    expect((await replayed(network)).verdicts).toMatchObject([{ outcome: "reproduced", dissent: [] }]);
  });

  test("reads a large target again when it is rebuilt after its verdict", async () => {
    const [artifact] = sampleTarget.artifacts;
    if (artifact === undefined) throw new Error("an artifact");
    const target = { ...sampleTarget, artifacts: manyArtifacts.map(({ name: file, ...digests }) => ({ ...artifact, ...digests, file })) };
    const network = new TestNetwork();
    network.appendPolicy();
    for (const name of names) network.enrol(name);
    network.appendTarget(target);
    network.runRound(network.roundFor(target), names, () => ({ failure: "timeout" }));
    const first = network.entries.length - 1;
    const again = network.roundFor(target, 2);
    network.appendRound(again);
    const results = names.map((name) => network.signResult(name, { round: again, ...large }));
    for (const result of results) network.commit(result);
    for (const { bytes } of results) network.appendBytes(bytes);
    network.appendVerdict(network.verdictOf(again, { supersedes: first }));
    expect((await replayed(network)).verdicts.map(({ outcome }) => outcome)).toEqual(["failed", "reproduced"]);
  });

  test("names the first that is not to be had, or has other bytes", async () => {
    const { network, result } = committedToLarge();
    network.appendBytes(result.bytes);
    const [[digest, bytes] = []] = network.largeEnvelopes;
    if (digest === undefined || bytes === undefined) throw new Error("a large envelope");
    network.largeEnvelopes.set(digest, bytes.subarray(1));
    expect(await refusalAtEnd(network)).toMatchObject({ rule: "envelope", message: expect.stringContaining("other") as unknown });
    network.largeEnvelopes.delete(digest);
    expect(await refusalAtEnd(network)).toMatchObject({ rule: "envelope", message: expect.stringContaining("not to be had") as unknown });
  });

  test("believes nobody but the network that one is named, and nobody but the operator what it says", async () => {
    const { network, result } = committedToLarge();
    const named = { envelope: digestOf("x"), sizeBytes: result.bytes.length };
    network.append({ kind: "large-envelope", large: named }, [portableSignerOf("ada")]);
    expect(await refusalAtEnd(network)).toMatchObject({ rule: "signature" });

    const forging = committedToLarge();
    const { payload } = parseEnvelope(forging.result.bytes);
    forging.network.appendBytes(formatEnvelope({ payload, signatures: [forging.network.networkKey.sign(pae(payload))] }));
    expect(await refusalAtEnd(forging.network)).toMatchObject({
      rule: "signature",
      message: expect.stringMatching(/network signed it/) as unknown,
    });
  });

  test("refuses another result than the one that was committed to, and a second one", async () => {
    const { network, result } = committedToLarge();
    const other = network.signResult("ada", { round: network.roundFor(), result: { artifacts: manyArtifacts.slice(0, -1) } });
    network.appendBytes(other.bytes);
    expect(await refusalAtEnd(network)).toMatchObject({ rule: "commitment" });

    const twice = committedToLarge();
    twice.network.appendBytes(twice.result.bytes);
    twice.network.appendBytes(twice.result.bytes);
    expect(await refusalAtEnd(twice.network)).toMatchObject({ rule: "unique" });
    expect(result.bytes.length).toBeGreaterThan(65_535);
  });
});

describe("a proof with large envelopes", () => {
  const network = withLargeResults();
  const proof = network.proof();
  const verified = (given: Proof) =>
    verifyProof({
      proof: given,
      policy: network.trustPolicy(),
      artifactSha256: digestOf("reference"),
      verify: verifyP256Portable,
      verifyNoteSignature: verifyEd25519Portable,
      hasher: portableHasher,
    });
  const altered = (change: (entry: Proof["entries"][number]) => Partial<Proof["entries"][number]>): Proof => ({
    ...proof,
    entries: proof.entries.map((entry) => ({ ...entry, ...change(entry) })),
  });

  test("carries them and is verified with nothing else", () => {
    expect(verified(parseProof(formatProof(proof))).operators.map(({ counted }) => counted)).toEqual([true, true, true]);
  });

  test("is refused when one is missing, altered, or beside an entry that names none", () => {
    const without = { ...proof, entries: proof.entries.map(({ large: _left, ...entry }) => entry) };
    expect(() => verified(without)).toThrow(/are not both in it/);
    expect(() => verified(altered(({ large: text }) => (text === undefined ? {} : { large: text.replace("eyJ", "eyK") })))).toThrow(
      /another digest/,
    );
    expect(() => verified(altered(({ large: text }) => ({ large: text ?? "{}" })))).toThrow(/are not both in it/);
  });

  test("is refused when somebody else than the network has named one", () => {
    const lying = new TestNetwork();
    for (const bytes of network.entries) {
      const { statement } = parseEntry(bytes);
      if (statement.kind === "large-envelope") lying.append(statement, [portableSignerOf("ada")]);
      else lying.appendBytes(bytes);
    }
    for (const [digest, bytes] of network.largeEnvelopes) lying.largeEnvelopes.set(digest, bytes);
    for (const [digest, bytes] of network.blobs) lying.blobs.set(digest, bytes);
    expect(() => verified(lying.proof())).toThrow(/a large-envelope: it is not signed by the network/);
  });
});
