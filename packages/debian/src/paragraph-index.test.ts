import { utf8 } from "@quorate/protocol/utf8";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseParagraph } from "./deb822.ts";
import { indexParagraphs } from "./paragraph-index.ts";

const stanza = fc
  .record({
    name: fc.constantFrom("a", "b", "c", "ab"),
    source: fc.option(fc.constantFrom("s", "a (1.0)", "t")),
    note: fc.constantFrom("x", "ä€", "Package: a"),
  })
  .map(
    ({ name, source, note }) =>
      `Package: ${name}\n${source === null ? "" : `Source: ${source}\n`}Description: ${note}\n Package: not-this\n`,
  );

describe("an index of paragraphs", () => {
  test("finds the same stanzas as parsing everything does", () => {
    fc.assert(
      fc.property(fc.array(stanza, { maxLength: 20 }), fc.constantFrom("\n", "\n\n"), (stanzas, gap) => {
        const bytes = utf8(stanzas.join(gap));
        const index = indexParagraphs(bytes, ["Source", "Package"]);
        const found = [...index].flatMap(([key, spans]) => textsOf(bytes, spans).map((text) => ({ key, text, start: spans[0] })));
        const expected = stanzas.map((text) => {
          const paragraph = parseParagraph(text);
          return { key: (paragraph.get("source") ?? paragraph.get("package") ?? "").split(" ")[0], text };
        });
        const order = (a: { key?: string | undefined; text: string }, b: typeof a) =>
          `${a.key} ${a.text}` < `${b.key} ${b.text}` ? -1 : 1;
        expect(found.map(({ key, text }) => ({ key, text })).sort(order)).toEqual(expected.sort(order));
      }),
    );
  });

  test("prefers the first of the fields wherever it stands", () => {
    expect([...indexParagraphs(utf8("Source: s (1)\nPackage: p\n\nPackage: q\nSource: s\n"), ["Source", "Package"]).keys()]).toEqual(["s"]);
  });

  test("is empty for an empty file", () => {
    expect(indexParagraphs(utf8(""), ["Package"]).size).toBe(0);
    expect(indexParagraphs(utf8("\n\n"), ["Package"]).size).toBe(0);
  });

  test("refuses a paragraph without a name", () => {
    expect(() => indexParagraphs(utf8("Package: a\n\nVersion: 1\n"), ["Package"])).toThrow("field Package");
  });
});

function textsOf(bytes: Uint8Array, spans: readonly number[]): string[] {
  return spans.flatMap((start, i) => (i % 2 === 0 ? [new TextDecoder().decode(bytes.subarray(start, spans[i + 1]))] : []));
}
