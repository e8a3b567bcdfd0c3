import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { expect, test } from "vitest";
import { findLockStoreDamage } from "./lock-store-check.ts";
import { SqliteLockStore } from "./lock-store.ts";
import type { KeyedEntry } from "./lock-store.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";

const count = 120;
const entries: KeyedEntry[] = Array.from({ length: count }, (_, index) => ({
  key: `result/${(index * 7919) % count}/${"k".repeat(index % 60)}`,
  index,
  leafHash: nodeHasher.leaf(Uint8Array.of(index)),
}));
const head = (size: number) => ({ size, note: `note ${size}`, signedAt: size });

async function stored(path: string): Promise<void> {
  using store = new SqliteLockStore(path);
  await store.create(head(0));
  await store.swap({ from: head(0), to: head(count), entries });
}

/** Whether the lock store says of every key what was stored, as the log would ask; undefined when it fails, which nobody overlooks. */
async function tellsTheTruth(path: string): Promise<boolean | undefined> {
  try {
    using store = new SqliteLockStore(path);
    const found = await Promise.all(entries.map(({ key }) => store.find(key)));
    const same = found.every((row, at) => row?.index === at && Buffer.compare(row.leafHash, entries[at]?.leafHash ?? row.leafHash) === 0);
    return same && (await store.head())?.size === count;
  } catch {
    return undefined;
  }
}

test("finds nothing in a whole lock store", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock.sqlite");
  await stored(path);
  expect(await findLockStoreDamage(path, new AbortController().signal)).toBeUndefined();
});

test("finds every bit that a disk turned over, if the log would be told something else by it", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock.sqlite");
  await stored(path);
  const bytes = await readFile(path);
  let [runs, harmful] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: bytes.length * 8 - 1 }), async (bit) => {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      // A name of its own each time: what SQLite could not open leaves other files behind.
      const damaged = join(scratch.path, `${(runs += 1)}.sqlite`);
      await writeFile(damaged, flipped);
      if ((await tellsTheTruth(damaged)) !== false) return;
      harmful += 1;
      expect(await findLockStoreDamage(damaged, new AbortController().signal).catch(String)).toBeDefined();
    }),
    { numRuns: 300 },
  );
  expect(harmful).toBeGreaterThan(20);
});

test("finds a row that is gone", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock.sqlite");
  await stored(path);
  using database = new DatabaseSync(path);
  database.exec("DELETE FROM entry WHERE position = 7");
  expect(await findLockStoreDamage(path, new AbortController().signal)).toBe(`it has ${count - 1} keys for ${count} entries`);
});

test("a lock store from before there were checksums is taken as it is, and its new rows have them", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock.sqlite");
  await stored(path);
  {
    using database = new DatabaseSync(path);
    database.exec("ALTER TABLE entry DROP COLUMN checksum");
  }
  {
    using store = new SqliteLockStore(path);
    const next = { key: "next", index: count, leafHash: nodeHasher.leaf(Uint8Array.of(1)) };
    await store.swap({ from: head(count), to: head(count + 1), entries: [next] });
  }
  expect(await findLockStoreDamage(path, new AbortController().signal)).toBeUndefined();
  using database = new DatabaseSync(path);
  expect(database.prepare("SELECT count(*) AS checked FROM entry WHERE checksum IS NOT NULL").get()).toEqual({ checked: 1 });
});
