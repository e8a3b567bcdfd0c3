import { lineSchema } from "@quorate/protocol/names";
import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { plainLine } from "./plain-line.ts";

test("any text becomes one line that the protocol takes", () => {
  assert(
    property(string({ unit: "binary", maxLength: 300 }), (text) => {
      expect(lineSchema(80).safeParse(plainLine(text, 80)).success).toBe(true);
    }),
  );
});

test("a plain line stays as it is", () => {
  expect(plainLine("make: *** [all] Error 1", 80)).toBe("make: *** [all] Error 1");
});
