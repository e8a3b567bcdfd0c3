import fc from "fast-check";
import { expect, test } from "vitest";
import { ParseError } from "@quorate/protocol/parse-error";
import { parseJitPolicy } from "./jit-policy.ts";

const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

test("packages and digests, and remarks", () => {
  const { digests, packages } = parseJitPolicy(`# ours\npackage nodejs\n\nsha256 ${digest}\n`);
  expect([...packages]).toEqual(["nodejs"]);
  expect([...digests]).toEqual([digest]);
});

test.each(["nodejs", "package", "package Node JS", "sha256 9f86", `path /usr/bin/node`])("%j is no line of it", (line) => {
  expect(() => parseJitPolicy(line)).toThrow(ParseError);
});

test("any other text is refused by an error that says so", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseJitPolicy(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    }),
  );
});
