import { expect, test } from "vitest";
import { parsePathFilter } from "./dpkg-path-filter.ts";

const isExcluded = parsePathFilter([
  "path-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n",
  'path-exclude "/usr/share/[lm]?n/x+y"\n',
]);

test.each([
  ["usr/share/doc/tool/README", true],
  ["usr/share/doc/tool/copyright", false],
  ["usr/share/man/x+y", true],
  ["usr/share/man/xxy", false],
  ["usr/bin/tool", false],
])("%s is left out: %s", (path, expected) => {
  expect(isExcluded(path)).toBe(expected);
});

test.each([
  ["a*b?c", "axxbyc", true],
  ["a*b?c", "axxbyd", false],
  ["[!a-c]x", "dx", true],
  ["[!a-c]x", "bx", false],
  ["[a-c]*", "b", true],
  ["\\*", "*", true],
  ["\\*", "a", false],
  ["*", "", true],
  ["**a", "ba", true],
])("/%s matches %s: %s", (pattern, path, expected) => {
  expect(parsePathFilter([`path-exclude=/${pattern}\n`])(path)).toBe(expected);
});

test("a pattern of many stars is decided at once", () => {
  expect(parsePathFilter([`path-exclude=/${"*a".repeat(40)}b\n`])("a".repeat(4000))).toBe(false);
});

test("a pattern of any length is read in time that grows with its length only", () => {
  const long = "[".repeat(200_000);
  expect(parsePathFilter([`path-exclude=/${long}`])(long)).toBe(true);
  expect(parsePathFilter([`path-exclude=/${" ".repeat(200_000)}x`])("/x")).toBe(false);
});
