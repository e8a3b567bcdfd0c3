import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatShellCommand, formatShellWord } from "./shell-words.ts";

test("a shell reads back exactly the words that were written", () => {
  const word = fc.string({ unit: "binary" }).filter((text) => !/[\n\0]/.test(text));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      const output = execFileSync("/bin/sh", ["-c", formatShellCommand(["printf", "%s\\n", ...words])], { encoding: "utf8" });
      expect(output).toBe(`${words.join("\n")}\n`);
    }),
    { numRuns: 50 },
  );
});

test("a word that would end the line is refused", () => {
  expect(() => formatShellWord("a\nb")).toThrow(TypeError);
  expect(() => formatShellWord("a\0b")).toThrow(TypeError);
});
