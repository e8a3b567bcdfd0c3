import { expect, it } from "vitest";
import { formatExport } from "./suite-exports.ts";

const lines = [
  { source: "hello", reason: 'says "no",\nthen more', index: 1 },
  { source: "bad", reason: "=HYPERLINK(1)", index: 2 },
  { source: "none", reason: null, index: 3 },
];

it("writes a table whose values never become formulas, rows or columns of their own", () => {
  expect([...formatExport(lines, "csv")].join("")).toBe(
    '"source","reason","index"\r\n"hello","says ""no"",\nthen more",1\r\n"bad","\'=HYPERLINK(1)",2\r\n"none",,3\r\n',
  );
});

it("writes JSON that says the same, as one array and line by line", () => {
  expect(JSON.parse([...formatExport(lines, "json")].join(""))).toEqual(lines);
  expect([...formatExport(lines, "ndjson")].map((line) => JSON.parse(line) as unknown)).toEqual(lines);
  expect([...formatExport([], "json")].join("")).toBe("[]\n");
});
