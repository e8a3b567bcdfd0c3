import { portableHasher } from "@quorate/tlog/portable-hasher";
import { expect, test } from "vitest";
import { nodeHasher } from "./node-hasher.ts";

test("hashes as the portable hasher does", () => {
  for (const length of [0, 1, 55, 64, 65_535]) {
    const entry = Uint8Array.from({ length }, (_, index) => index % 251);
    expect(new Uint8Array(nodeHasher.leaf(entry))).toEqual(portableHasher.leaf(entry));
  }
  const [left, right] = [portableHasher.leaf(Uint8Array.of(1)), portableHasher.leaf(Uint8Array.of(2))];
  expect(new Uint8Array(nodeHasher.node(left, right))).toEqual(portableHasher.node(left, right));
  for (const count of [1, 2, 3, 256, 257]) {
    const hashes = Uint8Array.from({ length: count * 32 }, (_, index) => index % 251);
    expect(new Uint8Array(nodeHasher.parents(hashes))).toEqual(portableHasher.parents(hashes));
  }
});
