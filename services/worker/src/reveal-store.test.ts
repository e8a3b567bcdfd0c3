import { digestOf, operatorOf } from "@quorate/attestation/nouns.fixture";
import { jobIdOf } from "@quorate/protocol/job";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRevealStore, type StoredResult } from "./reveal-store.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-store-"));
});
afterEach(() => rm(directory, { recursive: true }));

const day = 24 * 3600 * 1000;
const round = digestOf("round");
const stored: StoredResult = { job: jobIdOf(round, operatorOf("ada")), round, fence: 1, digest: digestOf("envelope"), envelope: "{}" };

test("a stored result is found by whoever opens the store next", async () => {
  await (await openRevealStore(directory)).save(stored);
  expect(await (await openRevealStore(directory)).find(stored.job)).toEqual(stored);
});

test("a revealed result is kept for a while, and a new fence does not make it unrevealed", async () => {
  const store = await openRevealStore(directory);
  await store.save(stored);
  await store.markRevealed(stored.job);
  await store.markRevealed(stored.job);
  await store.save({ ...stored, fence: 2 });
  expect(await store.find(stored.job)).toMatchObject({ fence: 2 });
  expect(await readdir(join(directory, "unrevealed"))).toEqual([]);
});

test("what nobody will ask for any more is deleted: revealed after a week, unrevealed after 90 days", async () => {
  const store = await openRevealStore(directory);
  await store.save(stored);
  expect(await (await openRevealStore(directory, () => Date.now() + 80 * day)).find(stored.job)).toBeDefined();
  await store.markRevealed(stored.job);
  expect(await (await openRevealStore(directory, () => Date.now() + 8 * day)).find(stored.job)).toBeUndefined();
});

test("a damaged file is an error that names it", async () => {
  const store = await openRevealStore(directory);
  await writeFile(join(directory, "unrevealed", `${stored.job}.json`), "{");
  await expect(store.find(stored.job)).rejects.toThrow(/unrevealed.*restore it/);
});

test("a name that is no job cannot reach another file", async () => {
  await expect((await openRevealStore(directory)).find("../nats-user.seed")).rejects.toThrow(/regex|pattern/i);
});
