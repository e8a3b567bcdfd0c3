import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { leafHash, nodeHash } from "@quorate/tlog/merkle";
import { hex } from "@scure/base";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type TraceFile, compareTraces, formatTrace, parseTrace, traceSummaryOf, traceSummaryOfBytes } from "./build-trace.ts";
import { digestOf } from "./nouns.fixture.ts";

function fileOf(path: string, content = path): TraceFile {
  return { path, sizeBytes: content.length, sha256: digestOf(content) };
}

const traces = fc
  .uniqueArray(fc.string({ unit: "binary", minLength: 1, maxLength: 12 }), { maxLength: 30 })
  .map((paths) => paths.map((path) => fileOf(path)));

describe("build traces", () => {
  test("any trace survives formatting and parsing, whatever its order was", () => {
    fc.assert(
      fc.property(traces, (files) => {
        const text = formatTrace(files);
        expect(formatTrace(parseTrace(text))).toBe(text);
        expect(formatTrace(files.toReversed())).toBe(text);
        expect(new Set(parseTrace(text))).toEqual(new Set(files));
        expect(traceSummaryOfBytes(utf8(text))).toEqual(traceSummaryOf(files));
      }),
    );
  });

  test("a trace of no files is the empty text", () => {
    expect(formatTrace([])).toBe("");
    expect(parseTrace("")).toEqual([]);
  });

  test.each([
    ["two files of one path", `${digestOf("a")} 1 a\n${digestOf("b")} 1 a\n`],
    ["lines out of order", `${digestOf("b")} 1 b\n${digestOf("a")} 1 a\n`],
    ["a missing newline", `${digestOf("a")} 1 a`],
    ["a size with a leading zero", `${digestOf("a")} 01 a\n`],
    ["an unescaped space", `${digestOf("a")} 1 a b\n`],
    ["an escape in lower case", `${digestOf("a")} 1 a%0a\n`],
    ["a needless escape", `${digestOf("a")} 1 a%41\n`],
    ["an unescaped percent sign", `${digestOf("a")} 1 a%\n`],
    ["an empty line", `\n`],
    ["a carriage return", `${digestOf("a")} 1 a\r\n`],
  ])("%s is refused", (_, text) => {
    expect(() => parseTrace(text)).toThrow(ParseError);
  });

  test("two files of one path are refused when formatting too", () => {
    expect(() => formatTrace([fileOf("a", "x"), fileOf("a", "y")])).toThrow(/paths are distinct/);
  });

  test("the summary is the RFC 6962 root over the lines, newline included", () => {
    const files = [fileOf("b"), fileOf("a")];
    const [first, second] = formatTrace(files)
      .split(/(?<=\n)/)
      .map((line) => leafHash(utf8(line)));
    if (first === undefined || second === undefined) throw new Error("two lines");
    expect(traceSummaryOf(files)).toEqual({ files: 2, rootSha256: hex.encode(nodeHash(first, second)) });
  });

  test("traces are compared on the files that both list", () => {
    const a = [fileOf("same"), fileOf("differs", "1"), fileOf("only a")];
    const b = [fileOf("same"), fileOf("differs", "2"), fileOf("only b")];
    expect(compareTraces(a, b)).toEqual({ common: 2, equal: 1 });
    expect(compareTraces(b, a)).toEqual({ common: 2, equal: 1 });
  });
});
