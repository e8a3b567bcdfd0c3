import { expect, test } from "vitest";
import { parseTracerPid } from "./process-status.ts";

const status = (name: string, tracer = "4711") =>
  `Name:\t${name}\nUmask:\t0022\nPid:\t12\nPPid:\t1\nTracerPid:\t${tracer}\nUid:\t0\t0\t0\t0\n`;

test("a process is traced by another one, or by none", () => {
  expect(parseTracerPid(status("tool"))).toBe(4711);
  expect(parseTracerPid(status("tool", "0"))).toBe(0);
});

test.each(["a\rTracerPid:\t0", "\u2028TracerPid:\t0", "\\nTracerPid:\t0"])(
  "a process that calls itself %j is traced all the same",
  (name) => {
    expect(parseTracerPid(status(name))).toBe(4711);
  },
);

test("text without it is no status of a process", () => {
  expect(() => parseTracerPid("Name:\ttool\n")).toThrow("parsing status of a process");
});
