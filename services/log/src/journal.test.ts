import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Journal, readJournal } from "./journal.ts";
import type { JournalRecord } from "./journal.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";

const entry = (length: number) => Buffer.alloc(length, length % 251);
const records: JournalRecord[] = [
  { kind: "batch", oldSize: 0, entries: [entry(1), entry(65_535), entry(300)] },
  { kind: "published", note: "log.example\n3\n…\n" },
  { kind: "batch", oldSize: 3, entries: [entry(2)] },
];

async function write(path: string): Promise<void> {
  await using journal = await Journal.create(path);
  await Promise.all(records.map((record) => journal.append(record)));
}

test("gives back the records in the order in which they were appended", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "1");
  await write(path);
  expect(await readJournal(path)).toEqual(records);
});

test("a record that was cut, damaged or followed by rubbish ends the journal there", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "1");
  await write(path);
  const whole = await readFile(path);
  for (const cut of [1, 5, 12]) {
    await truncate(path, whole.length - cut);
    expect(await readJournal(path)).toEqual(records.slice(0, 2));
  }
  const damaged = Buffer.from(whole);
  damaged[40_000] = (damaged[40_000] ?? 0) ^ 1;
  await writeFile(path, damaged);
  expect(await readJournal(path)).toEqual([]);
  await writeFile(path, whole);
  await appendFile(path, Buffer.alloc(5000));
  expect(await readJournal(path)).toEqual(records);
});

test("does not touch a journal that is there", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "1");
  await write(path);
  await expect(Journal.create(path)).rejects.toMatchObject({ code: "EEXIST" });
});
