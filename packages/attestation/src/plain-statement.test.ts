import { commitmentSchema } from "@quorate/protocol/commitment";
import { sha256Of } from "@quorate/protocol/digest";
import { type BuiltResult, builtResultSchema } from "@quorate/protocol/result";
import { roundSchema } from "@quorate/protocol/round";
import { type Target, targetSchema } from "@quorate/protocol/target";
import { type Verdict, standings, verdictOutcomes, verdictSchema } from "@quorate/protocol/verdict";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { mutationsOf } from "@quorate/tlog/respell.fixture";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LogStatement, formatStatement } from "./log-statement.ts";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { sampleBuilt, sampleStatements, sampleTarget, sampleVerdict } from "./nouns.fixture.ts";
import { readPlainStatement } from "./plain-statement.ts";

const plainKinds = ["commitment", "round", "built", "target", "verdict"];
const read = (text: string): LogStatement | undefined => readPlainStatement(text, portableHasher);
const textOfStatement = (statement: LogStatement): string => textOf(formatStatement(statement));

/** What was read is what the schema takes, and what is written alike: then nobody else reads the text otherwise. */
function expectAsBySchema(text: string): void {
  const said = read(text);
  if (said === undefined) return;
  expect(textOfStatement(said)).toBe(text);
  if (said.kind === "commitment") expect(commitmentSchema.parse(said.commitment)).toEqual(said.commitment);
  else if (said.kind === "round") expect(roundSchema.parse(said.round)).toEqual(said.round);
  else if (said.kind === "result") expect(builtResultSchema.parse(said.result)).toEqual(said.result);
  else if (said.kind === "target") expect(targetSchema.parse(said.target)).toEqual(said.target);
  else if (said.kind === "verdict") expect(verdictSchema.parse(said.verdict)).toEqual(said.verdict);
  else expect(said.kind).toBe("one of the five");
}

const digest = fc.string().map((text) => sha256Of(utf8(text)));
const size = fc.maxSafeNat().map((number) => number % 10 ** 15);
const line = fc.stringMatching(/^[ !#-[\]-~]{1,60}$/);
const file = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.+~:%_-]{0,40}$/);
const byproduct = fc.record({
  kind: fc.constantFrom(...builtResultSchema.shape.byproducts.element.shape.kind.options),
  name: line,
  sizeBytes: size,
  sha256: digest,
  mediaType: line,
});
const build: fc.Arbitrary<BuiltResult> = fc
  .record({
    version: fc.stringMatching(/^(?:\d{1,3}:)?[0-9A-Za-z][0-9A-Za-z.+~:-]{0,20}$/),
    source: fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,20}$/),
    environment: digest,
    fence: size.map((number) => number + 1),
    builderVersion: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/), line, { minKeys: 1, noNullPrototype: true }),
    sandboxProfile: line,
    byproducts: fc.array(byproduct, { maxLength: 5 }),
    artifacts: fc.array(fc.record({ name: file, sizeBytes: size, sha256: digest }), { minLength: 1, maxLength: 4 }),
    sources: fc.array(fc.record({ name: file, sha256: digest }), { maxLength: 4 }),
    trace: fc.record({ rootSha256: digest, files: size }),
  })
  .map((changes) => ({ ...sampleBuilt, ...changes }));

const path = fc
  .array(fc.stringMatching(/^[A-Za-z0-9+~:%_-][A-Za-z0-9.+~:%_-]{0,20}$/), { minLength: 1, maxLength: 4 })
  .map((all) => all.join("/"));
const sized = { sizeBytes: size, sha256: digest };
const artifact = fc.record({
  file,
  path,
  package: build.map(({ source }) => source),
  version: build.map(({ version }) => version),
  ...sized,
});
const index = fc.record({ path, ...sized });
const pin = fc.record({ inReleaseSha256: digest, indices: fc.array(index, { minLength: 1, maxLength: 3 }) });
const target: fc.Arbitrary<Target> = fc
  .record({
    directory: path,
    files: fc.array(fc.record({ name: file, ...sized }), { minLength: 1, maxLength: 3 }),
    artifacts: fc.array(artifact, { minLength: 1, maxLength: 3 }),
    suites: fc.array(pin, { minLength: 1, maxLength: 3 }),
    expiredAllowed: fc.boolean(),
  })
  .map(({ artifacts, suites, expiredAllowed, ...changes }) => ({
    ...sampleTarget,
    ...changes,
    artifacts: artifacts.map((changed) => ({ ...changed, architecture: "all" })),
    environment: { kind: "suite", suites: suites.map((changed) => ({ ...changed, suite: "bookworm" })), expiredAllowed },
  }));
const operator = digest.map((text) => text.slice(0, 32) as Verdict["dissent"][number]);
const vote = fc.record({ sha256: digest, operators: fc.array(operator, { minLength: 1, maxLength: 3 }) });
const outcome = fc.constantFrom(...verdictOutcomes);
const verdict: fc.Arbitrary<Verdict> = fc
  .record({
    outcome,
    artifacts: fc.array(fc.record({ file, reference: digest, outcome, digests: fc.array(vote, { maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
    dissent: fc.array(operator, { maxLength: 3 }),
    inputs: fc.array(fc.record({ index: size, envelope: digest, operator, standing: fc.constantFrom(...standings) }), { maxLength: 4 }),
  })
  .map((changes) => ({ ...sampleVerdict, ...changes }));

describe("what is read without the schema", () => {
  test.each(Object.entries(sampleStatements))("%s: is nothing, or the same", (name, statement) => {
    expect(read(textOfStatement(statement))).toEqual(plainKinds.includes(name) ? statement : undefined);
  });

  test("is each built result in plain characters, as it was", () => {
    fc.assert(
      fc.property(build, (result) => {
        expect(read(textOfStatement({ kind: "result", result }))).toEqual({ kind: "result", result });
      }),
    );
  });

  test("is each target in plain characters, and each verdict without a reason, as it was", () => {
    fc.assert(
      fc.property(target, verdict, (said, ruled) => {
        expect(read(textOfStatement({ kind: "target", target: said }))).toEqual({ kind: "target", target: said });
        expect(read(textOfStatement({ kind: "verdict", verdict: ruled }))).toEqual({ kind: "verdict", verdict: ruled });
      }),
    );
  });

  test.each(plainKinds)("is what the schema takes and formatting gives, whatever is changed in a %s", (name) => {
    const statement = sampleStatements[name];
    if (statement === undefined) throw new Error(`no sample ${name}`);
    const text = textOfStatement(statement);
    const token = fc.constantFrom(...new Set(text.match(/"[^"]*"|\d+|[[\]{},:]/g)));
    const swapped = fc.tuple(token, token, fc.nat(text.length)).map(([from, to, at]) => {
      const found = text.indexOf(from, at);
      return found < 0 ? text : text.slice(0, found) + to + text.slice(found + from.length);
    });
    const changed = fc.oneof(mutationsOf(text), swapped);
    fc.assert(fc.property(fc.oneof(changed, changed.map(resealed)), expectAsBySchema), { numRuns: 2000 });
  });

  test.each([
    ["a digest in capitals", (text: string) => text.replace(/"rootSha256":"[0-9a-f]{4}/, '"rootSha256":"ABCD')],
    ["a fence of zero", (text: string) => text.replace('"fence":1', '"fence":0')],
    ["a number with a leading zero", (text: string) => text.replace('"fence":1', '"fence":01')],
    ["versions out of order", (text: string) => text.replace(/("dpkg":"[^"]*"),("kernel":"[^"]*")/, "$2,$1")],
    ["a version twice", (text: string) => text.replace(/("dpkg":"[^"]*"),/, "$1,$1,")],
    ["another job", (text: string) => text.replace(/("invocationId":")./, "$1g")],
    ["a lock that is not among the byproducts", (text: string) => text.replace('"name":"environment.json"}]}', '"name":"other.json"}]}')],
    ["no environment pin", (text: string) => text.replace("environment pin", "environment-pin")],
    ["a source with a space in its name", (text: string) => text.replace('.dsc"}', '. dsc"}')],
    ["an escaped character", (text: string) => text.replace("namespaces/v1", "namespaces\\/v1")],
    ["something after it", (text: string) => `${text}\n`],
  ])("is not %s", (_, change) => {
    const text = textOfStatement({ kind: "result", result: sampleBuilt });
    expect(read(text)).toBeDefined();
    expect(change(text)).not.toBe(text);
    expect(read(change(text))).toBeUndefined();
  });

  test.each([
    ["a target whose digest is another", "target", (text: string) => text.replace('"component":"main"', '"component":"math"')],
    ["a verdict with another subject", "verdict", (text: string) => text.replace(/("name":")mail/, "$1male")],
    ["a verdict whose summary is another", "verdict", (text: string) => text.replace('"PASSED"', '"FAILED"')],
    ["a verdict whose level is another", "verdict", (text: string) => text.replace('"QUORATE_REPRODUCED"', '"FAILED"')],
    ["a verdict on another target", "verdict", (text: string) => text.replace(/(target\/sha256\/)./, "$1g")],
    ["a verdict that looked at another entry", "verdict", (text: string) => text.replace("quorate:entry/12", "quorate:entry/14")],
    ["a verdict that leaves an attestation out", "verdict", (text: string) => text.replace(/("inputAttestations":\[)[^\]]*,/, "$1")],
  ])("is not %s", (_, name, change) => {
    const statement = sampleStatements[name];
    if (statement === undefined) throw new Error(`no sample ${name}`);
    const text = textOfStatement(statement);
    expect(change(text)).not.toBe(text);
    expect(read(change(text))).toBeUndefined();
  });

  test.each([
    ["a path that climbs", (said: Target): Target => ({ ...said, directory: "pool/../main" })],
    ["a long path", (said: Target): Target => ({ ...said, directory: "p".repeat(401) })],
    ["more suites than a pin may have", (said: Target): Target => withSuites(said, 11)],
    ["a binNMU", (said: Target): Target => ({ ...said, binNmu: "+b1" })],
  ])("is no target with %s", (_, change) => {
    expect(read(textOfStatement({ kind: "target", target: change(sampleTarget) }))).toBeUndefined();
  });
});

function withSuites({ environment, ...said }: Target, count: number): Target {
  return { ...said, environment: { ...environment, suites: Array.from({ length: count }, () => environment.suites).flat() } };
}

/** With the digest of what it says now: of a target every other change would be noticed by that alone. */
function resealed(text: string): string {
  return text.replace(/^(\{"_type":"[^"]*","predicate":)(.*)(,"predicateType":.*"sha256":")[0-9a-f]*/, (_, start, said: string, end) => {
    return `${start}${said}${end}${sha256Of(utf8(said.toWellFormed()))}`;
  });
}
