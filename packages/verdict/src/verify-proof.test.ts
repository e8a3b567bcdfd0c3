import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { parseSha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import type { Verdict } from "@quorate/protocol/verdict";
import { cosigned, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { VerificationError } from "@quorate/tlog/verification-error";
import * as fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { TestNetwork, operatorNamed } from "./network.fixture.ts";
import { type Proof, formatProof, parseProof } from "./proof.ts";
import { type Chain, verifyProof } from "./verify-proof.ts";
import { verifyP256Portable } from "@quorate/attestation/portable-p256";
import { verifyEd25519Portable } from "@quorate/tlog/portable-ed25519";

const names = ["ada", "bert", "cyd"];
const reference = digestOf("reference");
const file = "mailgraph_1.14-20_all.deb";

function reproduced(): TestNetwork {
  const network = new TestNetwork();
  network.rebuild();
  return network;
}

const network = reproduced();
const proof = network.proof();
const policy = network.trustPolicy();
const verifiers = { verify: verifyP256Portable, verifyNoteSignature: verifyEd25519Portable };
const claim = { proof, policy, artifactSha256: reference, artifactName: file, ...verifiers };

/** A log like the ordinary one whose verdict says something else than its evidence. */
function withVerdict(change: (verdict: Verdict) => Partial<Verdict>, digest?: string): Proof {
  const lying = new TestNetwork();
  lying.appendPolicy();
  for (const name of names) lying.enrol(name);
  lying.appendTarget();
  const round = lying.roundFor();
  lying.appendRound(round);
  const results = names.map((name) => lying.signResult(name, { round, ...(digest === undefined ? {} : { digest }) }));
  for (const result of results) lying.commit(result);
  for (const { bytes } of results) lying.appendBytes(bytes);
  const verdict = lying.verdictOf(round);
  lying.appendVerdict({ ...verdict, ...change(verdict) });
  return lying.proof();
}

/** The proof of a log in which the operators did not all agree. */
function proofOf(digests: Record<string, string>): Proof {
  const other = new TestNetwork();
  other.rebuild(names, (name) => (digests[name] === undefined ? {} : { digest: digests[name] }));
  return other.proof();
}

describe("a proof of a reproduced artifact", () => {
  test("gives the chain from the file to the witnesses", () => {
    const chain = verifyProof(claim);
    expect(chain.artifact.file).toBe(file);
    expect(chain.target).toEqual(sampleTarget);
    expect(chain.verdict.outcome).toBe("reproduced");
    expect(chain.verdictIndex).toBe(network.entries.length - 1);
    expect(chain.operators.map(({ name, counted }) => [name, counted])).toEqual(names.map((name) => [name, true]));
    expect(chain.checkpoint).toMatchObject({ origin: "log.example", size: network.entries.length });
    expect(chain.witnesses).toHaveLength(4);
  });

  test("needs no file name, survives its file format, and the order of its entries does not matter", () => {
    expect(verifyProof({ proof, policy, artifactSha256: reference, ...verifiers }).artifact.file).toBe(file);
    expect(parseProof(formatProof(proof))).toEqual(proof);
    expect(verifyProof({ ...claim, proof: { ...proof, entries: proof.entries.toReversed() } }).verdict.outcome).toBe("reproduced");
  });

  test("counts the reader's own operators only, and names the others too", () => {
    const chain = verifyProof({ ...claim, policy: network.trustPolicy(["bert", "cyd", "eve"], 2) });
    expect(chain.operators.map(({ name, counted }) => [name, counted])).toEqual([
      ["ada", false],
      ["bert", true],
      ["cyd", true],
    ]);
  });

  test("holds when another operator disagrees, and does not count it", () => {
    const chain = verifyProof({ ...claim, proof: proofOf({ cyd: "other" }) });
    expect(chain.operators.filter(({ counted }) => counted).map(({ name }) => name)).toEqual(["ada", "bert"]);
    expect(chain.verdict.dissent).toEqual([operatorNamed("cyd")]);
  });
});

describe("a proof is refused, and the message says why, when", () => {
  const without = (kind: number) => ({ ...proof, entries: proof.entries.toSpliced(kind, 1) });
  const last = proof.entries.length - 1;

  test.each<[string, Partial<Parameters<typeof verifyProof>[0]>, RegExp]>([
    ["witnesses are missing", { proof: { ...proof, checkpoint: checkpointBy(2) } }, /which is not the quorum "most"/],
    [
      "the checkpoint is of another log",
      { policy: { ...policy, witnessPolicy: { ...policy.witnessPolicy, logs: [] } } },
      /is no known log/,
    ],
    [
      "an entry was changed",
      { proof: changed(2, (envelope) => envelope.replace("eyJ", "eyK")) },
      /verifying inclusion of entry 2 .* another root/,
    ],
    ["an entry is at another index", { proof: moved(2, 3) }, /verifying inclusion of entry 3/],
    ["an entry is beyond the checkpoint", { proof: moved(last, 5000) }, /verifying inclusion of entry 5000 .* no such entry/],
    ["an entry is there twice", { proof: { ...proof, entries: [...proof.entries, ...proof.entries.slice(0, 1)] } }, /it has entry 0 twice/],
    [
      "it is of another network",
      { policy: { ...policy, network: { name: "other", key: portableSignerOf("eve").spki } } },
      /not signed by the network/,
    ],
    ["the policy is left out", { proof: without(0) }, /the policy [0-9a-f]{64}, which the verdict is under, is missing/],
    ["an enrolment is left out", { proof: without(1) }, /operator [0-9a-f]{32} was not enrolled before it/],
    ["the target is left out", { proof: without(4) }, /about target [0-9a-f]{64}: its entry is missing/],
    ["the round is left out", { proof: without(5) }, /of round [0-9a-f]{64}: its entry is missing/],
    ["a commitment is left out", { proof: without(6) }, /lists the result at index 9 as counted, and it is not-committed/],
    ["a result is left out", { proof: without(9) }, /the result at index 9, which the verdict looked at, is missing/],
    ["the verdict is left out", { proof: without(last) }, /there are 0 verdicts instead of one/],
    [
      "the build traces are left out",
      { proof: { ...proof, traces: [] } },
      /lists the result at index 9 as counted, and it is uncorroborated/,
    ],
    [
      "a build trace was changed",
      { proof: { ...proof, traces: proof.traces.map((trace) => ({ ...trace, text: "" })) } },
      /reading build trace [0-9a-f]{64}: the bytes/,
    ],
    [
      "the verdict lies",
      { proof: withVerdict(() => ({ outcome: "reproduced" }), "evil") },
      /it says reproduced, and its evidence says mismatch/,
    ],
    [
      "the verdict hides a result",
      { proof: withVerdict(({ inputs }) => ({ inputs: inputs.slice(1) })) },
      /leaves out the result at index 9/,
    ],
    [
      "the file was changed",
      { artifactSha256: digestOf("evil") },
      /mailgraph_1.14-20_all.deb has digest [0-9a-f]{64}, and the one that was rebuilt has/,
    ],
    [
      "it is about another package",
      { artifactSha256: digestOf("evil"), artifactName: "hello.deb" },
      /it is about mailgraph 1.14-20 for all, which has no file hello.deb/,
    ],
    [
      "the artifact is a mismatch",
      { proof: proofOf({ ada: "evil", bert: "evil" }) },
      /the verdict on mailgraph_1.14-20_all.deb is mismatch/,
    ],
    [
      "too few of the reader's operators agree",
      { policy: network.trustPolicy(["ada", "eve", "finn"], 2) },
      /2 of the 3 operators of your policy are needed.* are: ada/,
    ],
    [
      "one of the reader's operators dissents",
      { proof: proofOf({ cyd: "other" }), policy: network.trustPolicy(["ada", "cyd"], 2) },
      /are: ada$/,
    ],
  ])("%s", (_, change, reason) => {
    const check = () => verifyProof({ ...claim, ...change });
    expect(check).toThrow(VerificationError);
    expect(check).toThrow(reason);
  });

  test("an operator of the reader's that has changed its key since is known by its first one", () => {
    const changed = new TestNetwork();
    changed.appendPolicy();
    for (const name of names) changed.enrol(name);
    changed.rotate("ada", "ada's second key");
    changed.appendTarget();
    changed.runRound(changed.roundFor(), names, (name) => (name === "ada" ? { key: "ada's second key" } : {}));
    const policy = changed.trustPolicy(["ada", "bert"], 2);
    const all = { ...claim, policy, proof: changed.proof() };
    expect(verifyProof(all).operators.filter(({ counted }) => counted)).toHaveLength(2);
    const rotation = names.length + 1;
    const entries = all.proof.entries.filter(({ index }) => index !== rotation);
    expect(() => verifyProof({ ...all, proof: { ...all.proof, entries } })).toThrow(/it is not signed by operator/);
  });

  test("two of the reader's operators count once together", () => {
    const grouped = new TestNetwork({ countOnceBy: ["funder"] });
    grouped.appendPolicy();
    for (const name of ["ada", "bert"]) grouped.enrol(name, { groups: { funder: "F" } });
    grouped.enrol("cyd");
    grouped.appendTarget();
    grouped.runRound(grouped.roundFor(), names);
    const all = { ...claim, proof: grouped.proof() };
    expect(verifyProof(all).operators).toHaveLength(3);
    expect(() => verifyProof({ ...all, policy: network.trustPolicy(["ada", "bert"], 2) })).toThrow(
      /independent of each other.* are: ada, bert/,
    );
  });
});

describe("a proof file", () => {
  test.each([
    ["is no JSON", "{"],
    ["is of another format", formatProof(proof).replace("proof/v1", "proof/v2")],
    ["has members of its own", formatProof(proof).replace('"traces"', '"surplus":1,"traces"')],
    ["has no entries", formatProof({ ...proof, entries: [] })],
    ["has a negative index", formatProof(proof).replace('"index":1}', '"index":-1}')],
  ])("that %s is refused", (_, text) => {
    expect(() => parseProof(text)).toThrow(ParseError);
  });
});

function checkpointBy(witnesses: number): string {
  return cosigned({ size: network.tree.size, root: network.tree.rootAt(network.tree.size) }, testWitnesses.slice(0, witnesses));
}

function changed(position: number, change: (envelope: string) => string): Proof {
  const entries = proof.entries.map((entry, at) => (at === position ? { ...entry, envelope: change(entry.envelope) } : entry));
  return { ...proof, entries };
}

function moved(position: number, index: number): Proof {
  return { ...proof, entries: proof.entries.map((entry, at) => (at === position ? { ...entry, index } : entry)) };
}

test("a digest is what the reader hashed, not what the file is called", () => {
  expect(() => verifyProof({ ...claim, artifactSha256: parseSha256("0".repeat(64)) })).toThrow(/this is another file/);
});

describe("whatever is done to a proof file", () => {
  test("changing one character of it changes nothing that is proved, hides a cosignature that is not needed, or is refused", () => {
    const text = formatProof(proof);
    const chain = verifyProof(claim);
    const isProvenToo = (found: Chain): boolean => {
      const { witnesses, ...rest } = found;
      const isKnown = witnesses.every((witness) => chain.witnesses.some((known) => isDeepStrictEqual(known, witness)));
      return isKnown && isDeepStrictEqual({ ...rest, witnesses: chain.witnesses }, chain);
    };
    const character = fc.constantFrom("0", "A", "f", " ", "\n", '"', "}");
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), character, (at, changed) => {
        const mutated = text.slice(0, at) + changed + text.slice(at + 1);
        const found = outcomeOf(() => verifyProof({ ...claim, proof: parseProof(mutated) }));
        expect(found instanceof Error ? found instanceof VerificationError || found instanceof ParseError : isProvenToo(found)).toBe(true);
      }),
      // The name of a witness: its signature is then one of a stranger, and three of four are the quorum.
      { numRuns: 60, examples: [[text.indexOf("w2.example"), "0"]] },
    );
    const renamed = verifyProof({ ...claim, proof: parseProof(text.replace("w2.example", "02.example")) });
    expect(renamed.witnesses.map(({ name }) => name)).toEqual(["w3.example", "w4.example", "w5.example"]);
  });

  test("leaving entries or traces out never makes one verify that did not", () => {
    const refused = proofOf({ ada: "evil", bert: "other" });
    for (const at of refused.entries.keys()) {
      const entries = refused.entries.toSpliced(at, 1);
      expect(outcomeOf(() => verifyProof({ ...claim, proof: { ...refused, entries } }))).toBeInstanceOf(VerificationError);
    }
    expect(outcomeOf(() => verifyProof({ ...claim, proof: { ...refused, traces: [] } }))).toBeInstanceOf(VerificationError);
  });
});

function outcomeOf<Value>(attempt: () => Value): Value | Error {
  try {
    return attempt();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
