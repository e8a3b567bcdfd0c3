import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDurableDatabase } from "./durable-database.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-database-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("flushes every commit, through a write-ahead log", () => {
  const database = openDurableDatabase(join(directory, "a.sqlite"), "CREATE TABLE IF NOT EXISTS t (x TEXT) STRICT");
  expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  database.close();
});

test("names the file that is no database", async () => {
  const path = join(directory, "b.sqlite");
  await writeFile(path, "x".repeat(5_000));
  expect(() => openDurableDatabase(path, "")).toThrow(`opening the database ${path}: file is not a database`);
});
