import { nodeHasher } from "@quorate/signing/node-hasher";
import { expect, test } from "vitest";
import { Pool } from "./pool.ts";

const item = (key: string, length = 1) => {
  const bytes = new Uint8Array(length);
  return { key, bytes, leafHash: nodeHasher.leaf(bytes) };
};

test("hands out entries in the order of arrival, at most 1,024 or 4 MiB at a time", () => {
  const pool = new Pool();
  for (let number = 0; number < 1_500; number += 1) pool.add(item(String(number)));
  expect(pool.take().map(({ key }) => key)).toEqual(Array.from({ length: 1_024 }, (_, number) => String(number)));
  expect(pool.take().length).toBe(476);
  expect(pool.take()).toEqual([]);
  for (let number = 0; number < 100; number += 1) pool.add(item(`large ${number}`, 65_535));
  expect(pool.take().length).toBe(64);
});

test("refuses entries when too many or too large ones wait, and takes them again after a batch", () => {
  const pool = new Pool();
  let count = 0;
  while (pool.add(item(String(count))) !== undefined) count += 1;
  expect(count).toBe(16_384);
  pool.take();
  expect(pool.add(item("again"))).toBeDefined();

  const large = new Pool();
  let bytes = 0;
  while (large.add(item(String(bytes), 65_535)) !== undefined) bytes += 65_535;
  expect(bytes).toBeLessThanOrEqual(64 * 1_048_576);
  large.take();
  expect(large.add(item("again", 65_535))).toBeDefined();
});
