import { expect, test } from "vitest";
import { preloadsOf, scriptOf } from "./start-of-process.ts";

const inHome = () => "/home/ada";

test.each([
  ["/usr/bin/sh", "sh\0/tmp/run\0--all\0", "/tmp/run"],
  ["/usr/bin/python3.11", "python3\0-u\0tool.py\0", "/home/ada/tool.py"],
  ["/usr/bin/perl", "perl\0-w\0../x.pl\0", "/home/x.pl"],
])("%s started with %j runs a script", (program, text, script) => {
  expect(scriptOf(program, text, inHome)).toBe(script);
});

test.each([
  ["/usr/bin/cat", "cat\0/etc/passwd\0"],
  ["/usr/bin/sh", "sh\0"],
  ["/usr/bin/sh", "sh\0-i\0"],
  ["/usr/bin/sh", ""],
])("%s started with %j runs none", (program, text) => {
  expect(scriptOf(program, text, inHome)).toBeUndefined();
});

test("libraries that the environment has loaded, by their names and by those that links lead to", () => {
  const locator = { follow: (path: string) => (path === "opt/alias.so" ? "opt/real.so" : path) };
  const preloads = preloadsOf("PATH=/bin\0LD_PRELOAD=/opt/alias.so libx.so:/opt/y.so\0LD_AUDIT=/opt/z.so\0", locator);
  expect(preloads).toEqual(new Set(["alias.so", "real.so", "libx.so", "y.so", "z.so"]));
  expect(preloadsOf("HOME=/root\0", locator).size).toBe(0);
});
