import { ParseError } from "@quorate/protocol/parse-error";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatBase64, parseBase64 } from "./base64.ts";
import { mutationsOf, respell } from "./respell.fixture.ts";

const parse = (text: string) => parseBase64("sample", text);

test.each([
  ["", ""],
  ["f", "Zg=="],
  ["fo", "Zm8="],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg=="],
  ["fooba", "Zm9vYmE="],
  ["foobar", "Zm9vYmFy"],
])("%j is %j as in RFC 4648 §10", (plain, encoded) => {
  expect(String.fromCodePoint(...parse(encoded))).toBe(plain);
});

test("any bytes are read back, of any length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(parse(formatBase64(bytes))).toEqual(bytes);
    }),
  );
  const long = Uint8Array.from({ length: 70_001 }, (_, index) => index * 31);
  expect(parse(formatBase64(long))).toEqual(long);
});

test("no text has a second spelling", () => {
  const texts = fc.oneof(
    mutationsOf("Zm9vYmE="),
    mutationsOf("Zm9vYg=="),
    fc.stringMatching(/^[AZ+/=_\-é \n]{0,8}$/),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(respell(text, parse, formatBase64)).toBe(text);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  "A",
  "AA",
  "AAA",
  "AB==",
  "AAB=",
  "A===",
  "====",
  "AA=A",
  "=AAA",
  "AAA\n",
  " AAA",
  "AA-_",
  "AAA=AAAA",
  "AAé",
  "\ud800AAA",
  "AAAŁ",
])("%j is refused", (text) => {
  expect(() => parse(text)).toThrow(ParseError);
});
