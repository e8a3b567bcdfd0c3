import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { adversaries } from "./adversaries/adversaries.ts";
import { threatModelFile, withAdversaries } from "./adversaries/write-threat-model.ts";

test("docs/threat-model.md lists the adversaries as they are (node test/adversaries/write-threat-model.ts)", () => {
  const text = readFileSync(threatModelFile, "utf8");
  expect(text).toBe(withAdversaries(text));
});

test("every adversary of the list is played by one test", () => {
  const played = globSync("adversaries/*.test.ts", { cwd: import.meta.dirname })
    .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"))
    .flatMap((text) => [...text.matchAll(/^test\("([a-z-]+)",/gm)].map(([, id]) => id));
  expect(played.sort()).toEqual(Object.keys(adversaries).sort());
});
