import { expect, test } from "vitest";
import { architecturesOf } from "./host-architectures.ts";

test("architectures are named in Debian's words", () => {
  expect(architecturesOf("x64")).toEqual(["amd64", "all"]);
  expect(architecturesOf("riscv64")).toEqual(["riscv64", "all"]);
});
