import fc from "fast-check";
import { expect, test } from "vitest";
import { parseProcessStat } from "./process-stat.ts";

const stat = (name: string, { state = "S", flags = "4194560" } = {}) =>
  `4711 (${name}) ${state} 1 4711 4711 0 -1 ${flags} 132 0 0 0 0 0 0 0 20 0 1 0 8129 2584576 240 18446744073709551615 1 1 0 0 0\n`;

test("a process of a user's", () => {
  expect(parseProcessStat(stat("tool"))).toEqual({ name: "tool", isKernelThread: false, isZombie: false });
});

test("a kernel thread is told by its flag, a zombie by its state", () => {
  expect(parseProcessStat(stat("kthreadd", { flags: "2129984" }))).toMatchObject({ isKernelThread: true });
  expect(parseProcessStat(stat("tool", { state: "Z" }))).toMatchObject({ isZombie: true });
});

test("whatever a process is called, the fields after its name are the kernel's", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(parseProcessStat(stat(name))).toEqual({ name, isKernelThread: false, isZombie: false });
    }),
  );
  expect(parseProcessStat(stat("tool) Z 1 1 1 0 -1 2129984"))).toMatchObject({ isKernelThread: false, isZombie: false });
});

test.each(["", "4711 (tool)", "4711 tool S 1", stat("tool", { flags: "x" })])("%j is no stat of a process", (text) => {
  expect(() => parseProcessStat(text)).toThrow("parsing stat of a process");
});
