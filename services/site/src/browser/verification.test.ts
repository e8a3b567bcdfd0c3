import { sampleTarget } from "@quorate/attestation/nouns.fixture";
import { roundIdOf } from "@quorate/protocol/round";
import { formatCheckpoint } from "@quorate/tlog/checkpoint";
import { formatNote } from "@quorate/tlog/note";
import { testSigner } from "@quorate/tlog/signer.fixture";
import { cosignSubtree } from "@quorate/tlog/subtree-cosignature";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import { formatProof } from "@quorate/verdict/proof";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { expect, test } from "vitest";
import { checkPage, type CheckStep, type PageClaim } from "./verification.ts";

const operators = ["ada", "bert", "cyd"];
const network = new TestNetwork();
const { target, attempt } = network.rebuild(operators);
const [artifact] = sampleTarget.artifacts;
const page: PageClaim = {
  file: artifact?.file ?? "",
  sha256: artifact?.sha256 ?? "",
  outcome: "reproduced",
  verdictIndex: String(network.entries.length - 1),
  round: roundIdOf(target, attempt),
  cells: operators.map((name) => ({
    operator: operatorNamed(name),
    file: artifact?.file ?? "",
    sha256: artifact?.sha256 ?? "",
  })),
};
const size = network.tree.size;
const tree = { origin: "log.example", size, root: network.tree.rootAt(size) };
const log = testSigner(tree.origin, 6, "ml-dsa-44");
const witness = testSigner("witness.example/w", 7, "ml-dsa-44");
const policy = formatTrustPolicy({
  ...network.trustPolicy(),
  witnessPolicy: { logs: [{ key: log.key }], witnesses: [{ name: "w", key: witness.key }], groups: [], quorum: "w" },
});

function check({ signer = witness, policyText = policy } = {}) {
  const signatures = [log, signer].map((by) => cosignSubtree({ tree, time: 1000, signer: by }));
  const proof = formatProof({ ...network.proof(), checkpoint: formatNote(formatCheckpoint(tree), signatures) });
  const verified: CheckStep[] = [];
  return { outcome: checkPage({ proof, policy: policyText, page, onVerified: (step) => verified.push(step) }), verified };
}

test("verifies under a policy whose log and witness have ML-DSA-44 keys", () => {
  expect(check().outcome).toEqual({ kind: "reproduced", names: operators, witnesses: ["w"] });
});

test("does not take another's ML-DSA-44 signature for that of the policy's witness", () => {
  const { key } = witness;
  const { sign } = testSigner(key.name, 8, "ml-dsa-44");
  const { outcome, verified } = check({ signer: { key, sign } });
  expect(outcome).toMatchObject({ kind: "contradicted", reason: expect.stringContaining("the ML-DSA-44 signature") as unknown });
  expect(verified).toEqual([]);
});

test("says of a policy that cannot be read that it is none, and not that the page is contradicted", () => {
  expect(() => check({ policyText: policy.replace("threshold 2", "threshold 20") })).toThrow("trust policy");
});
