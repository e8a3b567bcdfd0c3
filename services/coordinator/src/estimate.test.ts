import { expect, test } from "vitest";
import { estimateSeconds } from "./estimate.ts";

const build = (operator: string, source: string, seconds: number) => ({ operator, source, seconds });

test("an estimate is the median of the operator's own builds of the source, if it has any", () => {
  const history = [10, 30, 20].map((seconds) => build("ada", "hello", seconds)).concat(build("bert", "hello", 99), build("ada", "sl", 1));
  expect(estimateSeconds(history, { operator: "ada", source: "hello" })).toBe(20);
});

test("without any it is that of others for the source, then that of the operator for anything, then that of anybody for anything", () => {
  const history = [build("bert", "hello", 40), build("ada", "sl", 3), build("cyd", "zip", 5)];
  expect(estimateSeconds(history, { operator: "ada", source: "hello" })).toBe(40);
  expect(estimateSeconds(history, { operator: "ada", source: "toilet" })).toBe(3);
  expect(estimateSeconds(history.slice(2), { operator: "ada", source: "toilet" })).toBe(5);
});

test("without history there is no estimate", () => {
  expect(estimateSeconds([], { operator: "ada", source: "hello" })).toBeUndefined();
});
