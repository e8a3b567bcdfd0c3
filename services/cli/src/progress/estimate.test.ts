import { expect, test } from "vitest";
import { createEstimate } from "./estimate.ts";

test("says how fast it went, and how long the rest takes at that rate", () => {
  const estimate = createEstimate(10_000, 0);
  expect(estimate(0, 5_000)).toBe("0 of 10,000");
  expect(estimate(1_000, 7_000)).toBe("1,000 of 10,000, 500/s, about 18 s left");
});

test("tells no rate before it has seen a second of work", () => {
  const estimate = createEstimate(10_000, 2_000);
  expect(estimate(2_000, 0)).toBe("2,000 of 10,000");
  expect(estimate(2_500, 900)).toBe("2,500 of 10,000");
});

test("goes by the last twenty seconds: what was slow before says nothing of what follows", () => {
  const estimate = createEstimate(100_000, 0);
  for (let second = 0; second <= 60; second += 1) estimate(second, second * 1000);
  for (let second = 1; second <= 30; second += 1) estimate(60 + second * 1000, (60 + second) * 1000);
  expect(estimate(31_060, 91_000)).toBe("31,060 of 100,000, 1,000/s, about 1 min 09 s left");
});
