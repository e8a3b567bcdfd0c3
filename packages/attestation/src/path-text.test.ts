import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import * as fc from "fast-check";
import { isUtf8 } from "node:buffer";
import { describe, expect, test } from "vitest";
import { compareByBytes, decodePath, encodePath, escapePath, unescapePath } from "./path-text.ts";

describe("paths in lines of text", () => {
  test("any bytes survive: different bytes are different words, without white space", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.uint8Array({ minLength: 1, maxLength: 20 }), (a, b) => {
        const word = escapePath(decodePath(a));
        expect(word).toMatch(/^[^\s%]*(?:%[0-9A-F]{2}[^\s%]*)*$/);
        expect(unescapePath(word)).toBe(decodePath(a));
        expect(encodePath(decodePath(a))).toEqual(a);
        expect(word === escapePath(decodePath(b))).toBe(a.join() === b.join());
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["a b%.o", "a%20b%25.o"],
    ["new\nline", "new%0Aline"],
    ["right\u202eleft", "right%E2%80%AEleft"],
    ["smörgås", "smörgås"],
  ])("%j is written %s", (path, word) => {
    expect(escapePath(path)).toBe(word);
  });

  test("bytes that are not UTF-8 are written one by one", () => {
    expect(escapePath(decodePath(Uint8Array.of(0x61, 0xff, 0xc3, 0xa5, 0xc3)))).toBe("a%FFå%C3");
  });

  test("the bytes that are kept together are those that a decoder takes", () => {
    const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef];
    const bytes = [...edges, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff];
    for (const first of bytes) {
      for (const second of bytes) {
        for (const rest of [[], ...bytes.flatMap((third) => [[third], [third, 0x80], [third, 0xbf]])]) {
          const sequence = Uint8Array.of(first, second, ...rest);
          if (!isUtf8(sequence)) continue;
          // Behind a byte that is no text the decoder of single bytes takes over.
          const kept = decodePath(Uint8Array.of(0xff, ...sequence));
          expect(kept).toBe(`\udcff${Buffer.from(sequence).toString("utf8")}`);
        }
      }
    }
  });

  test("a word that escapes what needs no escape is refused", () => {
    expect(() => unescapePath("%61")).toThrow(ParseError);
    expect(() => unescapePath("%C3%A5")).toThrow(ParseError);
  });

  test("the order is that of the UTF-8 bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(Math.sign(compareByBytes(a, b))).toBe(Math.sign(Buffer.compare(utf8(a), utf8(b))));
      }),
      { numRuns: 500 },
    );
  });
});
