import { expect, it } from "vitest";
import { errorLine } from "./command-error.ts";

it("shows an error and its causes in one line, without saying anything twice", () => {
  const inner = new Error("connect ECONNREFUSED");
  const middle = new Error("no connection to example: connect ECONNREFUSED", { cause: inner });
  expect(errorLine(new Error("reading the checkpoint\n  of the log", { cause: middle }))).toBe(
    "reading the checkpoint of the log: no connection to example: connect ECONNREFUSED",
  );
  expect(errorLine("text")).toBe("text");
});
