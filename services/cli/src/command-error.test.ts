import { expect, it } from "vitest";
import { z } from "zod";
import { errorLine, systemReason } from "./command-error.ts";

it("shows an error and its causes in one line, without saying anything twice", () => {
  const inner = new Error("connect ECONNREFUSED");
  const middle = new Error("no connection to example: connect ECONNREFUSED", { cause: inner });
  expect(errorLine(new Error("reading the checkpoint\n  of the log", { cause: middle }))).toBe(
    "reading the checkpoint of the log: no connection to example: connect ECONNREFUSED",
  );
  expect(errorLine("text")).toBe("text");
});

it("takes the system's own words for the whole of a system's error, and a parser's for what zod lists", () => {
  const missing = Object.assign(new Error("ENOENT: no such file or directory, open '/x/.tmp-state'"), { code: "ENOENT", errno: -2 });
  expect(systemReason(missing)).toBe("no such file or directory");
  expect(errorLine(new Error("writing /x/state: no such file or directory; name a place", { cause: missing }))).toBe(
    "writing /x/state: no such file or directory; name a place",
  );
  expect(errorLine(new Error("starting", { cause: missing }))).toContain("starting: ENOENT");
  const listed = z.int().safeParse("x").error;
  expect(errorLine(new Error("parsing a size: it is no number", { cause: listed }))).toBe("parsing a size: it is no number");
});
