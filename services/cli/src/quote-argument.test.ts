import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { quoteArgument } from "./quote-argument.ts";

it.each(["/tmp/plain_1.0~rc1+b2.deb", "with space", "it's", '$HOME `id` "x"', ""])("a shell reads %j back as it was", (argument) => {
  expect(execFileSync("sh", ["-c", `printf %s ${quoteArgument(argument)}`], { encoding: "utf8" })).toBe(argument);
});
