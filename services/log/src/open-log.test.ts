import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import { createNoteKey } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { formatHash } from "@quorate/tlog/hash";
import { emptyRoot } from "@quorate/tlog/merkle";
import type { NoteSigner } from "@quorate/tlog/note";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogEvents } from "./events.ts";
import type { JournalRecord } from "./journal.ts";
import { SqliteLockStore } from "./lock-store.ts";
import type { Head } from "./lock-store.ts";
import { openLog } from "./open-log.ts";
import type { OpenOptions } from "./open-log.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";
import { signCheckpoint } from "./signed-checkpoint.ts";
import { DirectoryTileStore } from "./tile-store.ts";
import { TreeEdge } from "./tree-edge.ts";

let scratch: Awaited<ReturnType<typeof scratchDirectory>>;
let signer: NoteSigner;
let lock: SqliteLockStore;
let store: DirectoryTileStore;
let records: JournalRecord[];

const noon = Date.parse("2026-11-23T12:00:00Z");

beforeEach(async () => {
  scratch = await scratchDirectory();
  signer = createNoteKey(join(scratch.path, "key"), "log.example", "ed25519");
  lock = new SqliteLockStore(join(scratch.path, "lock.sqlite"));
  store = new DirectoryTileStore(join(scratch.path, "public"));
  records = [];
});

afterEach(async () => {
  lock[Symbol.dispose]();
  await scratch[Symbol.asyncDispose]();
});

/** Opens what is stored, as a new process would. */
const open = (options: Partial<OpenOptions> = {}) => {
  store = new DirectoryTileStore(join(scratch.path, "public"));
  const policy = { logs: [], witnesses: [], groups: [], quorum: "none" };
  const events = createLogEvents(silentLogger, new Metrics());
  return openLog(
    { lock, store, records },
    { signer, policy: { ...policy, logs: [{ key: signer.key }] }, now: () => noon, events, ...options },
  );
};

const entriesFrom = (start: number, count: number) => Array.from({ length: count }, (_, offset) => Buffer.from(`entry ${start + offset}`));
const withHash = (entries: readonly Uint8Array[]) => entries.map((bytes) => ({ bytes, leafHash: nodeHasher.leaf(bytes) }));

/** A log of 600 entries in batches of 200: tiles of all, a journal of the last two batches, 400 of them published. */
async function storedLog(): Promise<TreeEdge> {
  const { edge, head } = await open();
  let from: Head = head;
  for (const oldSize of [0, 200, 400]) {
    const entries = entriesFrom(oldSize, 200);
    await store.write(edge.grow(withHash(entries)));
    const signed = signCheckpoint({ size: edge.size, root: edge.root() }, { signer }, noon);
    const to = { size: edge.size, note: signed.note, signedAt: noon };
    await lock.swap({ from, to, entries: [] });
    from = to;
    if (oldSize > 0) records.push({ kind: "batch", oldSize, entries });
    if (oldSize === 200) records.push({ kind: "published", note: signed.note });
  }
  return edge;
}

const publicFile = (path: string) => join(scratch.path, "public", path);

test("creates an empty log, and opens it again", async () => {
  const { edge, newest } = await open({ inceptionDate: "2026-11-23" });
  expect([edge.size, newest.checkpoint.size, formatHash(newest.checkpoint.root)]).toEqual([0, 0, formatHash(emptyRoot)]);
  expect((await open({ inceptionDate: "2026-11-22" })).newest).toEqual(newest);
});

test("does not create a log after its inception date", async () => {
  await expect(open({ inceptionDate: "2026-11-22" })).rejects.toThrow("may be created on 2026-11-22 only");
});

test("opens a stored log at the size that was signed, with what was published", async () => {
  const edge = await storedLog();
  const opened = await open();
  expect([opened.edge.size, formatHash(opened.edge.root())]).toEqual([600, formatHash(edge.root())]);
  expect(opened.published?.checkpoint.size).toBe(400);
});

test("brings back tiles that the journal has and the disk has not", async () => {
  await storedLog();
  for (const path of ["tile/0/000", "tile/0/001", "tile/0/002.p", "tile/1", "tile/entries/001", "tile/entries/002.p"])
    await rm(publicFile(path), { recursive: true });
  const opened = await open();
  expect(opened.edge.size).toBe(600);
  expect(await readFile(publicFile("tile/0/002.p/88"))).toHaveLength(88 * 32);
});

test("ignores a batch that was staged but never signed", async () => {
  await storedLog();
  records.push({ kind: "batch", oldSize: 600, entries: entriesFrom(600, 10) });
  expect((await open()).edge.size).toBe(600);
});

test("refuses to start when the lock store has lost a checkpoint whose tiles were written already", async () => {
  const edge = await storedLog();
  const entries = entriesFrom(600, 10);
  await store.write(edge.grow(withHash(entries)));
  records.push({ kind: "batch", oldSize: 600, entries });
  await expect(open()).rejects.toThrow("there are tiles of a tree of 610, but the lock store's newest checkpoint is 600");
});

test("refuses to start when staged entries, tiles or entries are not those of the signed tree", async () => {
  await storedLog();
  const journal = records;
  records = journal.slice(1);
  await rm(publicFile("tile/0/001.p"), { recursive: true });
  await expect(open()).resolves.toBeDefined();
  records = [{ kind: "batch", oldSize: 400, entries: entriesFrom(7, 200) }];
  await expect(open()).rejects.toThrow("the tiles and the journal make a tree of 600");
  records = journal.slice(0, 1);
  await expect(open()).rejects.toThrow("the tiles and the journal make a tree of 400, but a checkpoint of 600");
});

test("refuses to start when a tile or an entry of the right edge is damaged or missing", async () => {
  await storedLog();
  records = [];
  const edgeTile = publicFile("tile/0/002.p/88");
  const bytes = await readFile(edgeTile);
  await writeFile(
    edgeTile,
    bytes.map((byte, index) => (index === 100 ? byte ^ 1 : byte)),
  );
  await expect(open()).rejects.toThrow("the entry at index 515 is not the one in the tree");
  await rm(edgeTile);
  await expect(open()).rejects.toThrow("tile/0/002.p/88 is missing");
});

test("refuses to start when more was published than the lock store knows", async () => {
  await storedLog();
  const { note } = signCheckpoint({ size: 601, root: emptyRoot }, { signer }, noon);
  await store.write([{ path: "checkpoint", bytes: Buffer.from(note) }]);
  await expect(open()).rejects.toThrow(
    "a checkpoint of size 601 was published, but the lock store's newest is 600: it comes from a backup",
  );
});

test("a file checkpoint that a power failure has torn is written again from the journal", async () => {
  await storedLog();
  const published = records.find(({ kind }) => kind === "published");
  const note = published?.kind === "published" ? published.note : "";
  for (const torn of ["", note.slice(0, 60), `${note.slice(0, 60)}${"\0".repeat(note.length - 60)}`]) {
    await store.write([{ path: "checkpoint", bytes: Buffer.from(torn) }]);
    expect((await open()).published?.checkpoint.size).toBe(400);
    expect(await readFile(publicFile("checkpoint"), "utf8")).toBe(note);
  }
});

test("refuses to start when the file checkpoint is damaged and the journal does not have what was published", async () => {
  await storedLog();
  records = records.filter(({ kind }) => kind !== "published");
  await store.write([{ path: "checkpoint", bytes: Buffer.from("rubbish") }]);
  await expect(open()).rejects.toThrow("the file checkpoint is not signed by this log's key");
});

test.each([600, 300])("refuses to start when another root was published at size %i", async (size) => {
  await storedLog();
  records = records.filter(({ kind }) => kind !== "published");
  await store.write([{ path: "checkpoint", bytes: Buffer.from(signCheckpoint({ size, root: emptyRoot }, { signer }, noon).note) }]);
  await expect(open()).rejects.toThrow("this log has forked");
});

test("refuses to start when the clock runs behind the last signature", async () => {
  await storedLog();
  await expect(open({ now: () => noon - 60_000 })).rejects.toThrow("set the clock");
  await expect(open({ now: () => noon - 1_000 })).resolves.toBeDefined();
});

test("refuses to start when there are tiles and no lock store", async () => {
  await store.write(TreeEdge.empty(nodeHasher).grow(withHash(entriesFrom(0, 1))));
  await expect(open()).rejects.toThrow("no lock store that says what was signed");
});

test("refuses to start with another key than the log's", async () => {
  await storedLog();
  const other = createNoteKey(join(scratch.path, "other"), "log.example", "ed25519");
  await expect(open({ signer: other })).rejects.toThrow("is not signed by this log's key");
});
