import { p256 } from "@noble/curves/nist.js";
import { ParseError } from "@quorate/protocol/parse-error";
import { hex } from "@scure/base";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseP256Key } from "./p256.ts";
import { portableSignerOf } from "./portable-signer.fixture.ts";

test("a public key is a point of the curve, and of nothing else", () => {
  const byte = fc.record({ name: fc.string({ minLength: 1 }), at: fc.nat({ max: 63 }), change: fc.integer({ min: 1, max: 255 }) });
  fc.assert(
    fc.property(byte, ({ name, at, change }) => {
      const { spki } = portableSignerOf(name);
      const point = parseP256Key(spki);
      expect(() => p256.Point.fromBytes(point).assertValidity()).not.toThrow();
      const altered = spki.slice();
      altered[spki.length - 64 + at] = (altered[spki.length - 64 + at] ?? 0) ^ change;
      expect(() => parseP256Key(altered)).toThrow(ParseError);
    }),
    { numRuns: 50 },
  );
});

test("a coordinate has one spelling: one that is not below the prime is refused", () => {
  // x = 5 is on the curve, and so is x + p, which fits into 32 bytes.
  const point = p256.Point.fromHex(`02${"05".padStart(64, "0")}`);
  const { spki } = portableSignerOf("ada");
  const withX = (x: bigint): Uint8Array => {
    const bytes = point.toBytes(false);
    bytes.set(hex.decode(x.toString(16).padStart(64, "0")), 1);
    const key = spki.slice();
    key.set(bytes, spki.length - bytes.length);
    return key;
  };
  expect(() => parseP256Key(withX(5n))).not.toThrow();
  expect(() => parseP256Key(withX(5n + p256.Point.Fp.ORDER))).toThrow(ParseError);
});
