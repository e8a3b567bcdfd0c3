import { commitmentSchema } from "@quorate/protocol/commitment";
import { sha256Of } from "@quorate/protocol/digest";
import { type BuiltResult, builtResultSchema } from "@quorate/protocol/result";
import { roundSchema } from "@quorate/protocol/round";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { mutationsOf } from "@quorate/tlog/respell.fixture";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LogStatement, formatStatement } from "./log-statement.ts";
import { sampleBuilt, sampleStatements } from "./nouns.fixture.ts";
import { readPlainStatement } from "./plain-statement.ts";

const plainKinds = ["commitment", "round", "built"];
const textOfStatement = (statement: LogStatement): string => textOf(formatStatement(statement));

/** What was read is what the schema takes, and what is written alike: then nobody else reads the text otherwise. */
function expectAsBySchema(text: string): void {
  const read = readPlainStatement(text);
  if (read === undefined) return;
  expect(textOfStatement(read)).toBe(text);
  if (read.kind === "commitment") expect(commitmentSchema.parse(read.commitment)).toEqual(read.commitment);
  else if (read.kind === "round") expect(roundSchema.parse(read.round)).toEqual(read.round);
  else if (read.kind === "result") expect(builtResultSchema.parse(read.result)).toEqual(read.result);
  else expect(read.kind).toBe("one of the three");
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

describe("what is read without the schema", () => {
  test.each(Object.entries(sampleStatements))("%s: is nothing, or the same", (name, statement) => {
    const read = readPlainStatement(textOfStatement(statement));
    expect(read).toEqual(plainKinds.includes(name) ? statement : undefined);
  });

  test("is each built result in plain characters, as it was", () => {
    fc.assert(
      fc.property(build, (result) => {
        expect(readPlainStatement(textOfStatement({ kind: "result", result }))).toEqual({ kind: "result", result });
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
    fc.assert(fc.property(fc.oneof(mutationsOf(text), swapped), expectAsBySchema), { numRuns: 2000 });
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
    expect(readPlainStatement(text)).toBeDefined();
    expect(change(text)).not.toBe(text);
    expect(readPlainStatement(change(text))).toBeUndefined();
  });
});
