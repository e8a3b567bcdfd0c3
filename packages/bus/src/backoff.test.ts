import { assert, double, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { backoffMilliseconds, pause } from "./backoff.ts";

test("pauses double and never exceed 36 seconds", () => {
  expect([1, 2, 3, 8, 100].map((failures) => backoffMilliseconds(failures, () => 0.5))).toEqual([250, 500, 1000, 30_000, 30_000]);
  assert(
    property(integer({ min: 1, max: 1_000_000 }), double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const milliseconds = backoffMilliseconds(failures, () => random);
      expect(milliseconds).toBeGreaterThanOrEqual(200);
      expect(milliseconds).toBeLessThanOrEqual(36_000);
    }),
  );
});

test("a pause ends at once when its signal is aborted", async () => {
  const reason = new Error("stopping");
  await expect(pause(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test("a pause that is aborted half-way ends with the signal's reason", async () => {
  const abort = new AbortController();
  const paused = pause(60_000, abort.signal);
  abort.abort(new Error("stopping"));
  await expect(paused).rejects.toThrow("stopping");
});
