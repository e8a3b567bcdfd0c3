import { expect, test } from "vitest";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import { HashCache } from "./hash-cache.ts";

const at = (second: number) => new Date(second * 1000);
const hashed = { kind: "hashed", sha256: digestOf("content") } as const;
const identity = "1:2:3:4:5";
const never = () => 1;

function textOf(second = 1000): string {
  const cache = new HashCache("", { now: at(second), random: never });
  cache.remember({ identity, changedAt: second - 10 }, hashed);
  return cache.format();
}

test("a digest is used again while the file is the same, and its age is known", () => {
  const cache = new HashCache(textOf(), { now: at(2000), random: never });
  expect(cache.find(identity)).toEqual(hashed);
  expect(cache.find("1:2:3:4:6")).toBeUndefined();
  expect({ reused: cache.reused, oldestAt: cache.oldestAt }).toEqual({ reused: 1, oldestAt: 1000 });
  expect(cache.format()).toBe(textOf());
});

test.each([
  ["after a day", new HashCache(textOf(), { now: at(1000 + 86_401), random: never })],
  ["when the clock went back", new HashCache(textOf(), { now: at(999), random: never })],
  ["for those that chance picks", new HashCache(textOf(), { now: at(2000), random: () => 0.049 })],
])("it is computed again %s", (_when, cache) => {
  expect(cache.find(identity)).toBeUndefined();
  expect(cache.format()).not.toContain(identity);
});

test("a file that was just written is not kept, nor one that could not be hashed", () => {
  const cache = new HashCache("", { now: at(1000), random: never });
  cache.remember({ identity, changedAt: 999 }, hashed);
  cache.remember({ identity, changedAt: 10 }, { kind: "changed" });
  expect(cache.format()).not.toContain(identity);
});

test.each([
  ["no cache"],
  [textOf().replace("v1", "v2")],
  [textOf().replace(" 1000", " soon")],
  [textOf().replace(hashed.sha256, "0")],
  [""],
])("a cache that is damaged is empty: %j", (text) => {
  expect(new HashCache(text, { now: at(1001), random: never }).find(identity)).toBeUndefined();
});
