import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Locator } from "./locator.ts";
import { memoryTree } from "./memory-tree.fixture.ts";

const locator = new Locator(
  memoryTree({
    bin: "-> usr/bin",
    "usr/bin/tool": "tool",
    "usr/bin/alias": "-> tool",
    "usr/lib/up": "-> ../../../../etc",
    "etc/conf": "conf",
    "srv/absolute": "-> /usr/bin",
    "loop/a": "-> b",
    "loop/b": "-> a",
  }),
);

test.each([
  ["usr/bin/tool", "usr/bin/tool"],
  ["bin/tool", "usr/bin/tool"],
  ["bin", "bin"],
  ["srv/absolute/tool", "usr/bin/tool"],
  ["usr/lib/up/conf", "etc/conf"],
  ["loop/a/x", "loop/a/x"],
  ["not/there", "not/there"],
  [".", "."],
])("%s is at %s", (path, place) => {
  expect(locator.locate(path)).toBe(place);
});

test.each([
  ["usr/bin/alias", "usr/bin/tool"],
  ["bin/alias", "usr/bin/tool"],
  ["srv/absolute", "usr/bin"],
  ["loop/a", undefined],
  ["usr/lib/up", "etc"],
])("%s leads to %s", (path, place) => {
  expect(locator.follow(path)).toBe(place);
});

test("whatever links there are, no path leads out of the root", () => {
  const target = fc.stringMatching(/^\/?(?:(?:\.\.|\.|[abc])\/){0,5}(?:\.\.|[abc])$/);
  fc.assert(
    fc.property(target, target, (first, second) => {
      const tree = new Locator(memoryTree({ a: `-> ${first}`, "b/c": `-> ${second}`, "b/file": "file" }));
      for (const path of ["a", "a/b/c", "b/c", "b/c/a/file"]) {
        expect(`/${tree.follow(path) ?? ""}/`).not.toContain("/../");
        expect(`/${tree.locate(path)}/`).not.toContain("/../");
      }
    }),
  );
});
