import { expect, test } from "vitest";
import { ParseError } from "./parse-error.ts";
import { defaultPolicy, defaultRules, hasSameRules, parsePolicyRules, type Policy } from "./policy.ts";

test("rules are read from a policy of any version, and from rules alone", () => {
  expect(parsePolicyRules(JSON.stringify(defaultRules))).toEqual(defaultRules);
  expect(parsePolicyRules(JSON.stringify({ ...defaultPolicy, version: 7 }))).toEqual(defaultRules);
});

test.each([
  ["text that is no JSON", "{", /JSON/],
  ["a rule that is not known", JSON.stringify({ ...defaultRules, treshold: 2 }), /treshold/],
  ["a missing rule", JSON.stringify({ ...defaultRules, threshold: undefined }), /threshold/],
  ["a threshold above the committee", JSON.stringify({ ...defaultRules, threshold: 4 }), /at least threshold/],
  [
    "more countries than operators",
    JSON.stringify({ ...defaultRules, diversity: [{ group: "country", distinct: 4 }] }),
    /4 values of country are more than a committee of 3/,
  ],
])("%s is refused, by its name", (_, text, reason) => {
  expect(() => parsePolicyRules(text)).toThrow(ParseError);
  expect(() => parsePolicyRules(text)).toThrow(reason);
});

test("policies of two versions have the same rules unless a rule differs", () => {
  const second: Policy = { ...defaultPolicy, version: 2 };
  expect(hasSameRules(defaultPolicy, second)).toBe(true);
  expect(hasSameRules(defaultPolicy, { ...defaultPolicy, committeeSize: 4 })).toBe(false);
});
