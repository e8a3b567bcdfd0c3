import { failureSchema } from "@quorate/protocol/result";
import { expect, test } from "vitest";
import { BuildFailure, failureOf } from "./build-failure.ts";

test("every error becomes a failure that a result may hold", () => {
  const errors = [
    new Error("two\nlines\u202e and \0 more"),
    new Error(""),
    new Error("x".repeat(5000)),
    new Error("\ud800".repeat(600)),
    "text",
    null,
  ];
  for (const error of errors) expect(failureSchema.parse(failureOf(error, "build")).reason).toBe("infrastructure");
});

test("a full disk is a lack of resources", () => {
  expect(failureOf(Object.assign(new Error("write"), { code: "ENOSPC" }), "collect").reason).toBe("out-of-resources");
});

test("a failure that was named keeps its name and its own step", () => {
  const error = new BuildFailure("timeout", { step: "build", message: "after 5 s" });
  expect(failureOf(error, "elsewhere")).toEqual({ reason: "timeout", step: "build", message: "after 5 s" });
});
