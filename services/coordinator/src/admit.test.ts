import { generateKeyPairSync } from "node:crypto";
import { digestOf, manyArtifacts, sampleBuilt, sampleStatements, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { maxEntryBytes } from "@quorate/protocol/entry";
import type { Enrolment } from "@quorate/protocol/operator";
import type { Result } from "@quorate/protocol/result";
import { textOf } from "@quorate/protocol/utf8";
import { signStatement } from "@quorate/signing/envelope";
import { p256SignerOf, verifyP256 } from "@quorate/signing/p256-key";
import { expect, test } from "vitest";
import { admitCommitment, admitResult, type AdmissionFacts } from "./admit.ts";

const newKey = () => p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const [ada, mallory] = [newKey(), newKey()];
const { round, target } = sampleBuilt;

const enrolment = {
  action: "enrol",
  operator: ada.operator,
  name: "Ada",
  identityKey: Buffer.from(ada.spki).toString("base64"),
  groups: {},
  architectures: ["all"],
  ecosystems: ["debian"],
} satisfies Enrolment;

const facts = (
  change: { state?: AdmissionFacts["round"]["state"]; job?: Partial<AdmissionFacts["job"]>; revoked?: { revokedAt: number } } = {},
): AdmissionFacts => ({
  round: { round, target, state: change.state ?? "building" },
  target: sampleTarget,
  job: { operator: ada.operator, fence: 2, ...change.job },
  operator: { enrolment, enrolledAt: 3, rotations: [], ...change.revoked },
  verify: verifyP256,
});

const result = (change: Partial<Result> = {}): Result => ({ ...sampleBuilt, operator: ada.operator, fence: 2, ...change }) as Result;
const resultEnvelope = (signer = ada, said = result()) => signStatement({ kind: "result", result: said }, [signer]);
const envelope = resultEnvelope();
const commitmentReport = (signer = ada, change: { fence?: number; round?: Sha256; envelope?: Sha256 } = {}) => {
  const commitment = { round, operator: ada.operator, fence: 2, envelope: sha256Of(envelope), ...change };
  return { envelope: textOf(signStatement({ kind: "commitment", commitment }, [signer])), fence: commitment.fence };
};
const resultReport = (bytes = envelope) => ({ envelope: textOf(bytes), fence: 2 });
const committed = { committedEnvelope: sha256Of(envelope) };

test("a commitment signed by the job's operator for this job is admitted, byte for byte", () => {
  const report = commitmentReport();
  const admission = admitCommitment(report, facts());
  expect(admission).toMatchObject({ kind: "admit", commitment: { envelope: sha256Of(envelope) } });
  if (admission.kind === "admit") expect(textOf(admission.envelope)).toBe(report.envelope);
});

test("a newer fence than any seen is admitted, an older one is refused", () => {
  expect(admitCommitment(commitmentReport(ada, { fence: 3 }), facts()).kind).toBe("admit");
  expect(admitCommitment(commitmentReport(ada, { fence: 1 }), facts())).toMatchObject({ kind: "refuse", rule: "stale-fence" });
});

test.each([
  ["signed by another key", () => admitCommitment(commitmentReport(mallory), facts()), "forged"],
  ["for another round", () => admitCommitment(commitmentReport(ada, { round: digestOf("other") }), facts()), "not-this-job"],
  ["with another fence inside than outside", () => admitCommitment({ ...commitmentReport(), fence: 5 }, facts()), "not-this-job"],
  ["of a revoked operator", () => admitCommitment(commitmentReport(), facts({ revoked: { revokedAt: 9 } })), "revoked"],
  ["after the reveal has started", () => admitCommitment(commitmentReport(), facts({ state: "revealing" })), "wrong-state"],
  ["that is no envelope", () => admitCommitment({ envelope: "{}", fence: 2 }, facts()), "malformed"],
  ["that is a result", () => admitCommitment(resultReport(), facts()), "malformed"],
  [
    "to something else than before",
    () => admitCommitment(commitmentReport(), facts({ job: { committedEnvelope: digestOf("earlier") } })),
    "already-committed",
  ],
])("a commitment %s is refused", (_name, admit, rule) => {
  expect(admit()).toMatchObject({ kind: "refuse", rule });
});

test("the same commitment again is a repetition, also when the round has gone on", () => {
  expect(admitCommitment(commitmentReport(), facts({ job: committed, state: "revealing" }))).toEqual({ kind: "repeat" });
});

test("the result that was committed to is admitted, byte for byte", () => {
  const admission = admitResult(resultReport(), facts({ state: "revealing", job: committed }));
  expect(admission).toMatchObject({ kind: "admit", digest: sha256Of(envelope) });
  if (admission.kind === "admit") expect(admission.envelope).toEqual(envelope);
});

const revealing = facts({ state: "revealing", job: committed });
test.each([
  ["other than the committed one", resultEnvelope(ada, result({ nonce: "ff".repeat(16) })), revealing, "not-committed"],
  ["signed again, with the same words", resultEnvelope(), revealing, "not-committed"],
  ["signed by another key", resultEnvelope(mallory), revealing, "forged"],
  ["of another operator", resultEnvelope(ada, result({ operator: mallory.operator })), revealing, "not-this-job"],
  ["of another round", resultEnvelope(ada, result({ round: digestOf("other") })), revealing, "not-this-job"],
  ["of another target", resultEnvelope(ada, result({ target: digestOf("other") })), revealing, "not-this-job"],
  ["of another version", resultEnvelope(ada, result({ version: "1.0" })), revealing, "not-this-job"],
  ["of another environment", resultEnvelope(ada, result({ environment: digestOf("other") })), revealing, "not-this-job"],
  ["without a commitment", envelope, facts({ state: "revealing" }), "not-committed"],
  ["before the reveal", envelope, facts({ job: committed }), "wrong-state"],
  ["after the round has closed", envelope, facts({ state: "settling", job: committed }), "wrong-state"],
  ["with an older fence", envelope, facts({ state: "revealing", job: { ...committed, fence: 3 } }), "stale-fence"],
])("a result %s is refused", (_name, bytes, held, rule) => {
  expect(admitResult(resultReport(bytes), held)).toMatchObject({ kind: "refuse", rule });
});

test("a result that is too large for an entry of the log is admitted like any other", () => {
  const large = resultEnvelope(ada, result({ artifacts: manyArtifacts }));
  expect(large.length).toBeGreaterThan(maxEntryBytes);
  const held = facts({ state: "revealing", job: { ...committed, committedEnvelope: sha256Of(large) } });
  expect(admitResult(resultReport(large), held)).toMatchObject({ kind: "admit", digest: sha256Of(large) });
});

test("a network's statement is no commitment, whoever signs it", () => {
  const { round: statement } = sampleStatements;
  if (!statement) throw new Error("the samples have a round");
  const report = { envelope: textOf(signStatement(statement, [ada])), fence: 2 };
  expect(admitCommitment(report, facts())).toMatchObject({ kind: "refuse", rule: "malformed" });
});
