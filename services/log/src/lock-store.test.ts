import { join } from "node:path";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { expect, test } from "vitest";
import { SqliteLockStore } from "./lock-store.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";

const head = (size: number) => ({ size, note: `note ${size}`, signedAt: size });
const keyed = (key: string, index: number) => ({ key, index, leafHash: nodeHasher.leaf(Uint8Array.of(index)) });

test("swaps head and keys together, and knows them after it was closed", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock.sqlite");
  {
    using store = new SqliteLockStore(path);
    await store.create(head(0));
    await store.swap({ from: head(0), to: head(2), entries: [keyed("a", 0), keyed("b", 1)] });
  }
  using store = new SqliteLockStore(path);
  expect(await store.head()).toEqual(head(2));
  expect((await store.find("b"))?.index).toBe(1);
  expect(await store.find("c")).toBeUndefined();
});

test("a swap from a head that is not the newest changes nothing", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock.sqlite");
  using first = new SqliteLockStore(path);
  using second = new SqliteLockStore(path);
  await first.create(head(0));
  await first.swap({ from: head(0), to: head(1), entries: [keyed("a", 0)] });
  await expect(second.swap({ from: head(0), to: head(2), entries: [keyed("b", 0)] })).rejects.toThrow("another process has swapped it");
  expect(await second.head()).toEqual(head(1));
  expect(await second.find("b")).toBeUndefined();
  await second.swap({ from: head(1), to: head(2), entries: [] });
  expect(await first.head()).toEqual(head(2));
});

test("a key is given once", async () => {
  await using scratch = await scratchDirectory();
  using store = new SqliteLockStore(join(scratch.path, "lock.sqlite"));
  await store.create(head(0));
  await store.swap({ from: head(0), to: head(1), entries: [keyed("a", 0)] });
  await expect(store.swap({ from: head(1), to: head(3), entries: [keyed("b", 1), keyed("a", 2)] })).rejects.toThrow("UNIQUE");
  expect(await store.head()).toEqual(head(1));
  expect(await store.find("b")).toBeUndefined();
});
