import fc from "fast-check";
import { expect, test } from "vitest";
import { planWorker } from "./plan-worker.ts";

const host = { cores: 8, memoryMib: 16_384, freeDiskMib: 100_000, clockSeconds: 2 };

test("a machine with room gives a build what is usual, and all of its cores", () => {
  expect(planWorker(host, {})).toEqual({ kind: "can", limits: { parallel: 8, memoryMib: 4096, diskMib: 16_384 } });
});

test("a small machine gives a build what it can spare", () => {
  const small = { cores: 2, memoryMib: 2000, freeDiskMib: 5000 };
  expect(planWorker(small, {})).toEqual({ kind: "can", limits: { parallel: 2, memoryMib: 1500, diskMib: 4000 } });
});

test.each([
  ["memory", { memoryMib: 600 }, {}],
  ["memory", {}, { memoryMib: 20_000 }],
  ["disk", { freeDiskMib: 2500 }, {}],
  ["disk", {}, { diskMib: 200_000 }],
  ["clock", { clockSeconds: -3600 }, {}],
])("a machine that cannot build says why: %s", (what, changes, wanted) => {
  const plan = planWorker({ ...host, ...changes }, wanted);
  expect(plan).toMatchObject({ kind: "cannot", reasons: [expect.stringContaining(what)] });
});

test("no plan promises more than the machine has", () => {
  const machines = fc.record({ cores: fc.integer({ min: 1, max: 256 }), memoryMib: fc.nat(100_000), freeDiskMib: fc.nat(1_000_000) });
  fc.assert(
    fc.property(machines, (machine) => {
      const plan = planWorker(machine, {});
      if (plan.kind === "cannot") return;
      expect(plan.limits.memoryMib).toBeLessThanOrEqual(machine.memoryMib);
      expect(plan.limits.diskMib).toBeLessThanOrEqual(machine.freeDiskMib);
      expect(plan.limits.parallel).toBe(machine.cores);
    }),
  );
});
