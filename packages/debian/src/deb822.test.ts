import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseOutcome } from "../../../test/parse-outcome.ts";
import { formatParagraph, linesOf, parseParagraph, parseParagraphs, requireField, wordsOf } from "./deb822.ts";

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/).map((text) => text.toLowerCase());
const firstLine = fc.stringMatching(/^[!-~äöü€]([ -~]{0,30}[!-~])?$/).filter((line) => !/^\s|\s$/.test(line));
const furtherLine = fc.stringMatching(/^[ !-~]{0,20}[!-~]$/);
const value = fc
  .tuple(fc.option(firstLine, { nil: "" }), fc.array(furtherLine, { maxLength: 4 }))
  .map(([first, rest]) => [first, ...rest].join("\n"));
const fields = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, minLength: 1, maxLength: 8 });

describe("control files", () => {
  test("what is formatted is parsed back as it was", () => {
    fc.assert(
      fc.property(fields, (given) => {
        expect([...parseParagraph(formatParagraph(given))]).toEqual(given);
      }),
    );
  });

  test("paragraphs are parted by any number of empty lines", () => {
    const given = fc.array(fields, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(given, fc.integer({ min: 1, max: 3 }), (paragraphs, gap) => {
        const text = paragraphs.map((paragraph) => formatParagraph(paragraph)).join("\n".repeat(gap));
        expect(parseParagraphs(text).map((paragraph) => [...paragraph])).toEqual(paragraphs);
      }),
    );
  });

  test("any text is either parsed or refused as malformed", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("A", ":", " ", "\n", "\t", "#", "-", "b", "\r", "é") }), (text) => {
        expect(["parsed", "refused"]).toContain(parseOutcome(() => parseParagraphs(text)));
      }),
    );
  });

  test("field names are case-insensitive and a field given twice is refused", () => {
    expect(requireField(parseParagraph("PACKAGE: hello\n"), "Package")).toBe("hello");
    expect(() => parseParagraph("Package: a\npackage: b\n")).toThrow("field given twice");
  });

  test("comments are taken only where they are allowed", () => {
    const text = "# note\nTypes: deb\n# in between\nURIs: file:/x\n";
    expect([...parseParagraph(text, { comments: true }).keys()]).toEqual(["types", "uris"]);
    expect(() => parseParagraph(text)).toThrow("field line");
  });

  test("a continuation line without a field and a line without a colon are refused", () => {
    expect(() => parseParagraphs(" lost\n")).toThrow("continuation line");
    expect(() => parseParagraphs("Package hello\n")).toThrow("field line");
  });

  test("texts beyond the bounds are refused", () => {
    expect(() => parseParagraphs("A: b\n\nA: b\n", { maxParagraphs: 1 })).toThrow("at most 1 paragraphs");
    expect(() => parseParagraphs("A: b\n", { maxCharacters: 3 })).toThrow("at most 3 characters");
  });

  test("a value that would forge another field or paragraph is not written", () => {
    expect(() => formatParagraph([["Package", "a\n\nPackage: b"]])).toThrow(TypeError);
    expect(() => formatParagraph([["Pack\nage", "a"]])).toThrow(TypeError);
    expect(formatParagraph([["Package", "a\nPackage: b"]])).toBe("Package: a\n Package: b\n");
  });

  test("lists are read over all lines", () => {
    const paragraph = parseParagraph("Binary: a, b,\n c\nFiles:\n x 1\n y 2\n");
    expect(wordsOf(paragraph, "Binary")).toEqual(["a,", "b,", "c"]);
    expect(linesOf(paragraph, "Files")).toEqual(["x 1", "y 2"]);
    expect(linesOf(paragraph, "None")).toEqual([]);
  });
});
