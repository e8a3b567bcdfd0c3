import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JournalRecord } from "./journal.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";
import { JournalStaging } from "./staging.ts";
import { DirectoryTileStore } from "./tile-store.ts";

const batch = (oldSize: number): JournalRecord => ({ kind: "batch", oldSize, entries: [Buffer.of(oldSize)] });
const published = (note: string): JournalRecord => ({ kind: "published", note });

async function open(path: string) {
  const store = new DirectoryTileStore(join(path, "public"));
  await store.write([{ path: "checkpoint", bytes: Buffer.from("x") }]);
  return JournalStaging.open(join(path, "journal"), store);
}

async function close({ staging }: Awaited<ReturnType<typeof open>>): Promise<void> {
  await staging[Symbol.asyncDispose]();
}

test("gives back, in order, what several processes staged and none retired", async () => {
  await using scratch = await scratchDirectory();
  for (let oldSize = 0; oldSize < 12; oldSize += 1) {
    const opened = await open(scratch.path);
    expect(opened.records).toEqual(Array.from({ length: oldSize }, (_, index) => batch(index)));
    await opened.staging.append(batch(oldSize));
    await close(opened);
  }
});

test("a rotation drops what is in the tiles, and keeps what was published", async () => {
  await using scratch = await scratchDirectory();
  const first = await open(scratch.path);
  await first.staging.append(batch(0));
  await first.staging.append(published("one"));
  await first.staging.append(published("two"));
  const { retired } = await first.staging.rotate();
  await first.staging.append(batch(1));
  await retired;
  await close(first);
  expect((await readdir(join(scratch.path, "journal"))).length).toBe(1);
  const second = await open(scratch.path);
  expect(second.records).toHaveLength(2);
  expect(second.records).toEqual(expect.arrayContaining([published("two"), batch(1)]));
  await (
    await second.staging.rotate()
  ).retired;
  await close(second);
  const third = await open(scratch.path);
  expect(third.records).toEqual([published("two")]);
  await close(third);
});

test("asks to be rotated after many batches", async () => {
  await using scratch = await scratchDirectory();
  const opened = await open(scratch.path);
  for (let oldSize = 0; !opened.staging.isLarge; oldSize += 1) {
    expect(oldSize).toBeLessThan(256);
    await opened.staging.append(batch(oldSize));
  }
  await (
    await opened.staging.rotate()
  ).retired;
  expect(opened.staging.isLarge).toBe(false);
  await close(opened);
});
