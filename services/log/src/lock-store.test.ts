import { join } from "node:path";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { expect, test } from "vitest";
import { LockStore } from "./lock-store.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";

const head = (size: number) => ({ size, note: `note ${size}`, signedAt: size });
const keyed = (key: string, index: number) => ({ key, index, leafHash: nodeHasher.leaf(Uint8Array.of(index)) });

test("swaps head and keys together, and knows them after it was closed", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock.sqlite");
  {
    using store = new LockStore(path);
    store.create(head(0));
    store.swap({ from: head(0), to: head(2), entries: [keyed("a", 0), keyed("b", 1)] });
  }
  using store = new LockStore(path);
  expect(store.head()).toEqual(head(2));
  expect(store.find("b")?.index).toBe(1);
  expect(store.find("c")).toBeUndefined();
});

test("a swap from a head that is not the newest changes nothing", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock.sqlite");
  using first = new LockStore(path);
  using second = new LockStore(path);
  first.create(head(0));
  first.swap({ from: head(0), to: head(1), entries: [keyed("a", 0)] });
  expect(() => second.swap({ from: head(0), to: head(2), entries: [keyed("b", 0)] })).toThrow("another process has swapped it");
  expect(second.head()).toEqual(head(1));
  expect(second.find("b")).toBeUndefined();
  second.swap({ from: head(1), to: head(2), entries: [] });
  expect(first.head()).toEqual(head(2));
});

test("a key is given once", async () => {
  await using scratch = await scratchDirectory();
  using store = new LockStore(join(scratch.path, "lock.sqlite"));
  store.create(head(0));
  store.swap({ from: head(0), to: head(1), entries: [keyed("a", 0)] });
  expect(() => store.swap({ from: head(1), to: head(3), entries: [keyed("b", 1), keyed("a", 2)] })).toThrow("UNIQUE");
  expect(store.head()).toEqual(head(1));
  expect(store.find("b")).toBeUndefined();
});
