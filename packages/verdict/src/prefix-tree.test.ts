import { rootOf } from "@quorate/tlog/merkle";
import { leafHash } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { expect, test } from "vitest";
import { PrefixTree } from "./prefix-tree.ts";

test("every size's root stays known as the tree grows", () => {
  const entries = Array.from({ length: 200 }, (_, index) => Uint8Array.of(index));
  const tree = new PrefixTree(portableHasher);
  for (const entry of entries) tree.append(entry);
  for (let size = 0; size <= entries.length; size += 1) {
    expect(tree.rootAt(size)).toEqual(rootOf(entries.slice(0, size).map((entry) => leafHash(entry))));
  }
});

test("a tree that was not reached has no root, and an unfinished subtree no hash", () => {
  const tree = new PrefixTree(portableHasher);
  tree.append(Uint8Array.of(1));
  expect(() => tree.rootAt(2)).toThrow(RangeError);
  expect(() => tree.rootAt(-1)).toThrow(RangeError);
  expect(() => tree.subtree({ level: 0, index: 1 })).toThrow(RangeError);
  expect(() => tree.subtree({ level: 1, index: 0 })).toThrow(RangeError);
});
