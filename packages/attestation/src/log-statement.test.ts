import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { sha256Of } from "@quorate/protocol/digest";
import { maxEntryBytes } from "@quorate/protocol/entry";
import { ParseError } from "@quorate/protocol/parse-error";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { VerificationError } from "@quorate/tlog/verification-error";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatEnvelope } from "./dsse.ts";
import { type LogStatement, formatStatement, openLargeEnvelope, parseEntry, parseStatement } from "./log-statement.ts";
import { digestOf, manyArtifacts, sampleBuilt, sampleStatements } from "./nouns.fixture.ts";

type Json = { [member: string]: Json };

/** A statement's payload with one member set to something else. */
function altered(name: string, path: string, value: unknown): Uint8Array {
  const statement = JSON.parse(textOf(formatStatement(sampleOf(name)))) as Json;
  const members = path.split(".");
  const last = members.pop() ?? "";
  const parent = members.reduce((object, member) => object[member] as Json, statement);
  parent[last] = value as Json;
  return utf8(formatCanonicalJson(statement));
}

function sampleOf(name: string) {
  const sample = sampleStatements[name];
  if (sample === undefined) throw new Error(`no sample ${name}`);
  return sample;
}

describe("statements", () => {
  test.each(Object.entries(sampleStatements))("%s survives formatting and parsing, to the byte", (_, statement) => {
    const payload = formatStatement(statement);
    expect(parseStatement(payload)).toEqual(statement);
    expect(textOf(formatStatement(parseStatement(payload)))).toBe(textOf(payload));
  });

  test.each(Object.entries(sampleStatements))("%s with another spelling is refused", (_, statement) => {
    const text = textOf(formatStatement(statement));
    expect(() => parseStatement(utf8(` ${text}`))).toThrow(ParseError);
    expect(() => parseStatement(utf8(`\ufeff${text}`))).toThrow(ParseError);
    expect(() => parseStatement(utf8(text.replace('"predicateType"', '"predicateTyp\\u0065"')))).toThrow(ParseError);
  });

  test.each([
    ["policy", "subject.0.digest.sha256", digestOf("other")],
    ["policy", "subject.0.annotations", {}],
    ["policy", "predicate.threshold", 0],
    ["policy", "predicate.surplus", true],
    ["enrolment", "subject.0.digest.sha256", digestOf("other")],
    ["enrolment", "predicate.identityKey", "YWRhYQ=="],
    ["enrolment", "predicate.hostname", "192.0.2.7"],
    ["enrolment", "predicate.linkKey", "YWRh"],
    ["enrolment", "predicate.witnessVkey", "ada.example/witness+31b91f44+BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"],
    ["enrolment", "predicate.witnessVkey", "example.com/foo+1a25f5be+AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"],
    ["rotation", "subject.0.digest.sha256", digestOf("other")],
    ["rotation", "predicate.name", "Ada's new name"],
    ["revocation", "subject.0.name", "operator:nobody"],
    ["target", "subject.0.digest.sha256", digestOf("other")],
    ["round", "subject.0.digest.sha256", digestOf("other")],
    ["commitment", "subject.0.digest.sha256", digestOf("other")],
    ["built", "predicate.buildDefinition.buildType", "https://example.com/build"],
    ["built", "predicate.buildDefinition.internalParameters.variations", { time: "+1y" }],
    ["built", "predicate.runDetails.metadata.invocationId", "another-job"],
    ["built", "predicate.runDetails.builder.id", "https://quorate.dev/operator/0"],
    ["built", "predicate.buildDefinition.resolvedDependencies.2.digest.sha256", digestOf("other lock")],
    ["built", "predicate.buildDefinition.resolvedDependencies.1.name", "environment"],
    ["failed", "predicate.result", "PASSED"],
    ["failed", "predicate.failedTests", ["install"]],
    ["verdict", "predicate.verificationResult", "FAILED"],
    ["inconclusive", "predicate.verificationResult", "PASSED"],
    ["inconclusive", "predicate.verifiedLevels", ["QUORATE_REPRODUCED"]],
    ["verdict", "predicate.resourceUri", "quorate:target/sha256/0"],
    ["verdict", "predicate.inputAttestations.0.uri", "quorate:entry/11"],
    ["verdict", "predicate.inputAttestations", []],
    ["verdict", "subject.0.digest.sha256", digestOf("other")],
    ["largeEnvelope", "subject.0.digest.sha256", digestOf("other")],
    ["largeEnvelope", "predicate.sizeBytes", 65_535],
    ["largeEnvelope", "predicate.sizeBytes", 4_194_305],
    ["verdict", "predicateType", "https://slsa.dev/verification_summary/v2"],
  ])("%s whose %s says %j is refused", (name, path, value) => {
    expect(() => parseStatement(altered(name, path, value))).toThrow(ParseError);
  });

  test("a float in a statement is refused", () => {
    const text = textOf(formatStatement(sampleOf("policy"))).replace('"threshold":2', '"threshold":2.5');
    expect(() => parseStatement(utf8(text))).toThrow(ParseError);
  });
});

describe("entries", () => {
  test("an entry is its envelope, its statement and its digest", () => {
    const bytes = formatEnvelope({ payload: formatStatement(sampleOf("round")), signatures: [Uint8Array.of(1)] });
    const entry = parseEntry(bytes);
    expect(entry.statement).toEqual(sampleOf("round"));
    expect(entry.envelope.signatures).toEqual([Uint8Array.of(1)]);
    expect(entry.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("an entry larger than the log takes is refused before it is read", () => {
    expect(() => parseEntry(new Uint8Array(maxEntryBytes + 1))).toThrow(/log entry of at most 65535 bytes/);
  });
});

describe("large envelopes", () => {
  const statement: LogStatement = { kind: "result", result: { ...sampleBuilt, artifacts: manyArtifacts } };
  const bytes = formatEnvelope({ payload: formatStatement(statement), signatures: [Uint8Array.of(1)] });
  const large = { envelope: sha256Of(bytes), sizeBytes: bytes.length };

  test("what is too large for an entry is opened by its name, and keeps its own digest", () => {
    expect(bytes.length).toBeGreaterThan(maxEntryBytes);
    expect(openLargeEnvelope(large, bytes)).toMatchObject({ digest: large.envelope, statement });
  });

  test("bytes that differ in any bit, or in their number, are not those that are named", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 7 }), (position, bit) => {
        const altered = bytes.slice();
        altered[position] = (altered[position] ?? 0) ^ (1 << bit);
        expect(() => openLargeEnvelope(large, altered)).toThrow(VerificationError);
      }),
    );
    expect(() => openLargeEnvelope(large, bytes.subarray(1))).toThrow(VerificationError);
    expect(() => openLargeEnvelope({ ...large, sizeBytes: bytes.length + 1 }, bytes)).toThrow(VerificationError);
  });

  test("a large envelope names no other one", () => {
    const signatures = Array.from({ length: 4 }, () => Uint8Array.of(1));
    const naming = formatEnvelope({ payload: formatStatement({ kind: "large-envelope", large }), signatures });
    expect(() => openLargeEnvelope({ envelope: sha256Of(naming), sizeBytes: naming.length }, naming)).toThrow(/names no other/);
  });
});
