import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { parseEntry } from "@quorate/attestation/log-statement";
import { verifyEnvelope } from "@quorate/attestation/dsse";
import { maxReportedEnvelopeBytes } from "@quorate/protocol/job";
import { jobIdOf } from "@quorate/protocol/job";
import { type Byproduct, resultSchema } from "@quorate/protocol/result";
import { environmentPinDigestOf, targetDigestOf } from "@quorate/protocol/target";
import { operatorSignerOf } from "@quorate/signing/operator-signer";
import { p256SignerOf, verifyP256 } from "@quorate/signing/p256-key";
import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { type ResultFacts, resultOf, signResult } from "./attest.ts";
import { failingOutcome } from "./executor.fixture.ts";
import type { Built } from "./executor.ts";

const signer = operatorSignerOf(p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey));
const round = digestOf("round");
const facts: ResultFacts = {
  job: {
    job: jobIdOf(round, signer.operator),
    round,
    target: targetDigestOf(sampleTarget),
    baseFence: 1,
    uploadTicket: "t",
    commitBy: "2026-12-01T00:00:00Z",
  },
  fence: 3,
  operator: signer.operator,
  target: sampleTarget,
  nonce: "00112233445566778899aabbccddeeff",
  startedAt: new Date("2026-11-23T08:00:00.900Z"),
  finishedAt: new Date("2026-11-23T08:01:00.100Z"),
};

function builtWith(artifacts: number): Built {
  const names = Array.from({ length: artifacts }, (_, index) => `package-${artifacts - index}_1.0_amd64.deb`);
  return {
    kind: "built",
    builderVersion: { kernel: "6.12.0" },
    sandboxProfile: "namespaces/v1",
    artifacts: names.map((name) => ({ name, path: `/tmp/${name}`, sizeBytes: 1, sha256: digestOf(name), sha512: "0".repeat(128) })),
    sources: [],
    trace: [],
    buildLog: { name: "build.log", path: "/tmp/build.log", sizeBytes: 1, sha256: digestOf("log") },
    lock: { environment: environmentPinDigestOf(sampleTarget.environment), packages: [] },
    manifests: [],
  };
}

const manifestsFor = (built: Built): Byproduct[] =>
  built.artifacts.map(({ name, sha256 }) => ({ kind: "manifest", name, sizeBytes: 1, sha256, mediaType: "text/plain" }));

test("a result says what was asked for, what came out, and who built it with what", () => {
  const result = resultOf(facts, builtWith(2), []);
  expect(resultSchema.parse(result)).toEqual(result);
  expect(result).toMatchObject({ fence: 3, startedAt: "2026-11-23T08:00:00Z", finishedAt: "2026-11-23T08:01:00Z", trace: { files: 0 } });
  expect(result.builderVersion).toMatchObject({ kernel: "6.12.0", worker: /^\d/ });
});

test("artifacts are sorted by name and carry no path of this machine", () => {
  const result = resultOf(facts, builtWith(3), []);
  const names = result.outcome === "built" ? result.artifacts.map(({ name }) => name) : [];
  expect(names).toEqual([...names].sort());
  expect(JSON.stringify(result)).not.toContain("/tmp");
});

test("the envelope is an entry of the log that the operator's key verifies", async () => {
  const { envelope, digest } = await signResult(facts, failingOutcome(), { byproducts: [], signer });
  const entry = parseEntry(envelope);
  expect(entry.digest).toBe(digest);
  expect(() => verifyEnvelope(entry.envelope, [signer.identity], verifyP256)).not.toThrow();
});

test("a result that is too large for the bus goes without its manifests", async () => {
  const built = builtWith(2000);
  const lock: Byproduct = {
    kind: "environment-lock",
    name: "environment.json",
    sizeBytes: 1,
    sha256: digestOf("lock"),
    mediaType: "application/json",
  };
  const { result, envelope } = await signResult(facts, built, { byproducts: [lock, ...manifestsFor(built)], signer });
  expect(envelope.length).toBeLessThanOrEqual(maxReportedEnvelopeBytes);
  expect(result).toMatchObject({ outcome: "built", byproducts: [lock] });
});

test("a result that is too large even so is a signed failure", async () => {
  const built = builtWith(2001);
  const { result } = await signResult(facts, built, { byproducts: manifestsFor(built), signer });
  expect(result).toMatchObject({ outcome: "failed", failure: { reason: "infrastructure", step: "attest" } });
});

test("an outcome that readers would refuse is a signed failure that says why", async () => {
  const failing = failingOutcome();
  const outcome = { ...failing, failure: { reason: "build-failed" as const, step: "build", message: "two\nlines" } };
  const { result } = await signResult(facts, outcome as typeof failing, { byproducts: [], signer });
  expect(result).toMatchObject({ outcome: "failed", failure: { step: "attest", message: expect.stringContaining("failure.message") } });
});
