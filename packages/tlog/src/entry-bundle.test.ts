import { ParseError } from "@quorate/protocol/parse-error";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { respell } from "./respell.fixture.ts";
import { formatEntryBundle, parseEntryBundle } from "./entry-bundle.ts";

test("any bundle of 1 to 256 entries is read back", () => {
  const bundles = fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 1, maxLength: 256 });
  fc.assert(
    fc.property(bundles, (entries) => {
      expect(parseEntryBundle(formatEntryBundle(entries))).toEqual(entries);
    }),
  );
});

test("entries of 0 and of 65,535 bytes fit, one byte more does not", () => {
  const entries = [new Uint8Array(0), new Uint8Array(65_535).fill(7)];
  expect(parseEntryBundle(formatEntryBundle(entries))).toEqual(entries);
  expect(() => formatEntryBundle([new Uint8Array(65_536)])).toThrow("65536 bytes");
});

test("bytes that are read as a bundle have no other spelling", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.map((byte) => byte % 4)),
      (bytes) => {
        expect(respell(bytes, parseEntryBundle, formatEntryBundle)).toEqual(bytes);
      },
    ),
    { numRuns: 1000 },
  );
});

test("a cut bundle, an empty one, and one of 257 entries are refused", () => {
  const bundle = formatEntryBundle([Uint8Array.of(1, 2, 3)]);
  for (let length = 0; length < bundle.length; length += 1) expect(() => parseEntryBundle(bundle.subarray(0, length))).toThrow(ParseError);
  expect(() => parseEntryBundle(new Uint8Array(2 * 257))).toThrow("at most 256 entries");
  expect(() => formatEntryBundle([])).toThrow("0 entries");
  expect(() => formatEntryBundle(Array.from({ length: 257 }, () => new Uint8Array(1)))).toThrow("257 entries");
});
