import { nodeHasher } from "@quorate/signing/node-hasher";
import { hashFrom } from "@quorate/tlog/hash";
import { expect, test } from "vitest";
import type { LockStore } from "./lock-store.ts";

const head = (size: number) => ({ size, note: `note ${size}`, signedAt: size });
const keyed = (key: string, index: number) => ({ key, index, leafHash: hashFrom(Uint8Array.from(nodeHasher.leaf(Uint8Array.of(index)))) });

/** `open` opens the same lock store each time. */
export type LockStoreOfTest = AsyncDisposable & { open(): Promise<LockStore & (Disposable | AsyncDisposable)> };

/** What every kind of lock store promises, as tests; `create` makes one that has no head yet. */
export function testLockStore(create: () => Promise<LockStoreOfTest>): void {
  test("swaps head and keys together, and knows them after it was closed", async () => {
    await using made = await create();
    {
      await using store = await made.open();
      expect(await store.head()).toBeUndefined();
      await store.create(head(0));
      await store.swap({ from: head(0), to: head(2), entries: [keyed("a", 0), keyed("b", 1)] });
    }
    await using store = await made.open();
    expect(await store.head()).toEqual(head(2));
    expect(await store.find("b")).toEqual(keyed("b", 1));
    expect(await store.find("c")).toBeUndefined();
  });

  test("a swap from a head that is not the newest changes nothing", async () => {
    await using made = await create();
    await using first = await made.open();
    await using second = await made.open();
    await first.create(head(0));
    await first.swap({ from: head(0), to: head(1), entries: [keyed("a", 0)] });
    await expect(second.swap({ from: head(0), to: head(2), entries: [keyed("b", 0)] })).rejects.toThrow("another process has swapped it");
    expect(await second.head()).toEqual(head(1));
    expect(await second.find("b")).toBeUndefined();
    await second.swap({ from: head(1), to: head(2), entries: [] });
    expect(await first.head()).toEqual(head(2));
  });

  test("of two swaps from one head at once, one comes to pass, whole", async () => {
    await using made = await create();
    await using first = await made.open();
    await using second = await made.open();
    await first.create(head(0));
    const swaps = await Promise.allSettled(
      [first, second].map((store, number) =>
        store.swap({ from: head(0), to: head(number + 1), entries: [keyed(`key/${number}`, number)] }),
      ),
    );
    const winner = swaps.findIndex(({ status }) => status === "fulfilled");
    expect(swaps.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect(await first.head()).toEqual(head(winner + 1));
    expect(await first.find(`key/${winner}`)).toEqual(keyed(`key/${winner}`, winner));
    expect(await second.find(`key/${1 - winner}`)).toBeUndefined();
  });

  test("a key is given once", async () => {
    await using made = await create();
    await using store = await made.open();
    await store.create(head(0));
    await store.swap({ from: head(0), to: head(1), entries: [keyed("a", 0)] });
    await expect(store.swap({ from: head(1), to: head(3), entries: [keyed("b", 1), keyed("a", 2)] })).rejects.toThrow(/UNIQUE|unique/);
    expect(await store.head()).toEqual(head(1));
    expect(await store.find("b")).toBeUndefined();
  });
}
