import { expect, test } from "vitest";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import type { FileIdentity } from "./file-identity.ts";
import { HashCache } from "./hash-cache.ts";

const at = (second: number) => new Date(second * 1000);
const hashed = { kind: "hashed", sha256: digestOf("content") } as const;
const identity: FileIdentity = { dev: 1n, ino: 2n, size: 3n, mtimeNs: -4n, ctimeNs: 990_000_000_005n };
const never = () => 1;
const open = (content: Uint8Array, second: number, random = never) => new HashCache(content, { now: at(second), random });

function contentOf(second = 1000, files: readonly FileIdentity[] = [identity]): Uint8Array {
  const cache = open(new Uint8Array(), second);
  for (const file of files) cache.remember(file, hashed);
  return cache.format();
}

const isEmpty = (content: Uint8Array) => content.length === 24;

test("a digest is used again while the file is the same, and its age is known", () => {
  const cache = open(contentOf(), 2000);
  expect(cache.find(identity)).toEqual(hashed);
  for (const other of [{ dev: 9n }, { ino: 9n }, { size: 9n }, { mtimeNs: 9n }, { ctimeNs: 9n }])
    expect(cache.find({ ...identity, ...other })).toBeUndefined();
  expect({ reused: cache.reused, oldestAt: cache.oldestAt }).toEqual({ reused: 1, oldestAt: 1000 });
  expect(cache.format()).toEqual(contentOf());
});

test("a file that is found under several paths is kept once, and what was computed anew is kept with what was used again", () => {
  const other = { ...identity, ino: 7n };
  const cache = open(contentOf(), 2000);
  for (let path = 0; path < 3; path += 1) cache.find(identity);
  cache.remember(other, hashed);
  const later = open(cache.format(), 3000);
  expect(cache.format()).toHaveLength(24 + 2 * 80);
  expect([later.find(identity), later.find(other), later.oldestAt]).toEqual([hashed, hashed, 1000]);
});

test.each([
  ["after a day", open(contentOf(), 1000 + 86_401)],
  ["when the clock went back", open(contentOf(), 999)],
  ["for those that chance picks", open(contentOf(), 2000, () => 0.049)],
])("it is computed again %s", (_when, cache) => {
  expect(cache.find(identity)).toBeUndefined();
  expect(cache.format()).toSatisfy(isEmpty);
});

test("a file that was just written is not kept, nor one that could not be hashed", () => {
  const cache = open(new Uint8Array(), 1000);
  cache.remember({ ...identity, ctimeNs: 999_000_000_000n }, hashed);
  cache.remember(identity, { kind: "changed" });
  expect(cache.format()).toSatisfy(isEmpty);
});

test.each([
  ["is none", new TextEncoder().encode("no cache")],
  ["is of an earlier version", Uint8Array.from(contentOf(), (byte, position) => (position === 20 ? 0x31 : byte))],
  ["was cut", contentOf().subarray(0, -1)],
  ["has no time in a row", Uint8Array.from(contentOf(), (byte, position) => (position >= 96 ? 0xff : byte))],
  ["is empty", new Uint8Array()],
])("a cache that %s is thrown away", (_what, content) => {
  expect(open(content, 1001).find(identity)).toBeUndefined();
});
