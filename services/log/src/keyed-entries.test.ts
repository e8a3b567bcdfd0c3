import { ParseError } from "@quorate/protocol/parse-error";
import { formatEntryBundle } from "@quorate/tlog/entry-bundle";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatKeyedEntries, maxKeyedEntries, parseKeyedEntries } from "./keyed-entries.ts";

const ascii = (text: string) => Buffer.from(text, "latin1");
const key = fc.stringMatching(/^[!-~]{1,200}$/);
const entry = fc.record({ key, bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) });

test("any 1 to 128 entries with their keys are read back", () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: maxKeyedEntries }), (entries) => {
      expect(parseKeyedEntries(formatKeyedEntries(entries))).toEqual(entries);
    }),
  );
});

test("any bytes are entries or a ParseError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        expect(formatKeyedEntries(parseKeyedEntries(bytes))).toEqual(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    }),
  );
});

test.each([
  ["a key without its entry", [ascii("a"), ascii("1"), ascii("b")]],
  ["an empty entry", [ascii("a"), ascii("")]],
  ["an empty key", [ascii(""), ascii("1")]],
  ["a key with a space", [ascii("a b"), ascii("1")]],
  ["a key that is not ASCII", [ascii("caf\u00e9"), ascii("1")]],
  ["a key of 201 characters", [ascii("a".repeat(201)), ascii("1")]],
])("%s is refused", (_name, parts) => {
  expect(() => parseKeyedEntries(formatEntryBundle(parts))).toThrow(ParseError);
});
