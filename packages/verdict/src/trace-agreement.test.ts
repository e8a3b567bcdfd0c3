import { expect, test } from "vitest";
import { agreementOf } from "./trace-agreement.ts";

const rule = { sharePercent: 80, minimumFiles: 8 };

test.each([
  [{ common: 7, equal: 7 }, "says-little"],
  [{ common: 8, equal: 7 }, "corroborates"],
  [{ common: 10, equal: 8 }, "corroborates"],
  [{ common: 10, equal: 7 }, "contradicts"],
  [{ common: 1000, equal: 799 }, "contradicts"],
] as const)("of a rule of 80 %% and 8 files, %j %s", (counts, agreement) => {
  expect(agreementOf(counts, rule)).toBe(agreement);
});
