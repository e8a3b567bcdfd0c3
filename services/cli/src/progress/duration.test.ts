import { expect, it } from "vitest";
import { formatDuration } from "./duration.ts";

it.each([
  [-1, "0.0 s"],
  [0.44, "0.4 s"],
  [9.94, "9.9 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [185, "3 min 05 s"],
  [7620, "2 h 07 min"],
])("shows %f seconds as %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
