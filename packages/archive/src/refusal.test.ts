import { expect, test } from "vitest";
import { formatRefusal } from "./refusal.ts";

test("a refusal names what was asked for and what there is", () => {
  const source = { source: "hello", suite: "small", version: "9", known: ["1.1", "1.0"] };
  expect(formatRefusal({ kind: "unknown-version", ...source })).toBe("there is no version 9 of hello; there is 1.1, 1.0");
  expect(formatRefusal({ kind: "nothing-to-compare", ...source })).toBe(
    "small has no binary packages of hello 9; it has those of 1.1, 1.0",
  );
  expect(formatRefusal({ kind: "unknown-package", ...source, known: [] })).toBe("small has no source package hello");
  expect(formatRefusal({ kind: "unknown-package", ...source, known: ["hell"] })).toBe(
    "small has no source package hello; did you mean hell",
  );
  expect(formatRefusal({ kind: "unknown-suite", suite: "large", known: ["small"] })).toBe(
    "the archive has no suite large; known suites are small",
  );
  expect(formatRefusal({ kind: "unknown-architecture", architecture: "all", known: ["amd64"] })).toContain("all; there is amd64");
  expect(formatRefusal({ kind: "unknown-distribution", distribution: "x1", known: [] })).toBe(
    "no archive of the distribution x1 is configured",
  );
  const large = { source: "hello", version: "9", files: 2, artifacts: 300 };
  expect(formatRefusal({ kind: "too-large", ...large })).toBe("hello 9 is too large to be logged: 2 source files, 300 binary packages");
});
