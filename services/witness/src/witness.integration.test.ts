import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@quorate/service/logger";
import { createNoteKey, verifyNoteSignature } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { formatCheckpoint } from "@quorate/tlog/checkpoint";
import type { Hash } from "@quorate/tlog/hash";
import { consistencyProof, rootOf } from "@quorate/tlog/merkle";
import { parseNote, signNote } from "@quorate/tlog/note";
import type { NoteSigner } from "@quorate/tlog/note";
import { formatAddCheckpoint, verifyWitnessAnswer, witnessedCheckpointPath } from "@quorate/tlog/witness-request";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startWitness } from "./start.ts";
import type { Witness } from "./start.ts";

const leaves: Hash[] = Array.from({ length: 20 }, (_, index) => nodeHasher.leaf(Uint8Array.of(index)));
const otherLeaves: Hash[] = leaves.map((leaf, index) => (index === 3 ? nodeHasher.leaf(Uint8Array.of(99)) : leaf));

/** The hash of a complete subtree of `leaves`. */
const read = ({ level, index }: { level: number; index: number }) =>
  rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level), nodeHasher);

let directory: string;
let log: NoteSigner;
let stranger: NoteSigner;
let witnessKey: NoteSigner;
let witness: Witness;

const start = () =>
  startWitness(
    { dataDirectory: join(directory, "data"), signer: witnessKey, host: "127.0.0.1", port: 0, logs: new Map([["log.example", [log.key]]]) },
    { logger: silentLogger, now: () => 1_700_000_000_000 },
  );

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-witness-"));
  log = createNoteKey(join(directory, "log"), "log.example", "ed25519");
  stranger = createNoteKey(join(directory, "stranger"), "log.example", "ed25519");
  witnessKey = createNoteKey(join(directory, "witness"), "witness.example", "cosignature");
  witness = await start();
});

afterEach(async () => {
  await witness[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function note(size: number, { of = leaves, by = log, origin = "log.example" } = {}): string {
  return signNote(formatCheckpoint({ origin, size, root: rootOf(of.slice(0, size), nodeHasher) }), [by]);
}

function post(body: string): Promise<Response> {
  return fetch(`${witness.url}/add-checkpoint`, { method: "POST", body });
}

function add(oldSize: number, size: number, noteText = note(size)): Promise<Response> {
  return post(formatAddCheckpoint({ oldSize, proof: oldSize === 0 ? [] : consistencyProof(oldSize, size, read, nodeHasher), noteText }));
}

test("cosigns a log's first checkpoint, the empty one, and what follows, and shows the newest", async () => {
  for (const [oldSize, size] of [
    [0, 0],
    [0, 5],
    [5, 13],
    [13, 13],
  ] as const) {
    const response = await add(oldSize, size);
    expect([size, response.status]).toEqual([size, 200]);
    const { text } = parseNote(note(size));
    const { time } = verifyWitnessAnswer({ body: await response.text(), text, key: witnessKey.key, verify: verifyNoteSignature });
    expect(time).toBe(1_700_000_000);
  }
  const shown = await fetch(`${witness.url}/${witnessedCheckpointPath("log.example")}`);
  const shownNote = parseNote(await shown.text());
  expect(shownNote.text).toBe(parseNote(note(13)).text);
  expect(shownNote.signatures.map(({ name }) => name)).toEqual(["log.example", "witness.example"]);
});

test("answers 409 with the size that it has when the old size is another, after a restart too", async () => {
  await add(0, 5);
  await witness[Symbol.asyncDispose]();
  witness = await start();
  for (const oldSize of [0, 4, 6]) {
    const response = await add(oldSize, 13);
    expect(response.status).toBe(409);
    expect(response.headers.get("content-type")).toBe("text/x.tlog.size");
    expect(await response.text()).toBe("5\n");
  }
});

test("answers 422 to a tree that does not contain the one before", async () => {
  await add(0, 5);
  expect((await add(5, 13, note(13, { of: otherLeaves }))).status).toBe(422);
  expect((await post(formatAddCheckpoint({ oldSize: 5, proof: [], noteText: note(13) }))).status).toBe(422);
  expect((await add(5, 13)).status).toBe(200);
});

test("answers 409 without a size to another tree of the size that it has", async () => {
  await add(0, 5);
  const response = await add(5, 5, note(5, { of: otherLeaves }));
  expect(response.status).toBe(409);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  expect((await add(5, 5)).status).toBe(200);
});

test("answers 422 to an empty tree with a root", async () => {
  const wrong = formatCheckpoint({ origin: "log.example", size: 0, root: rootOf(leaves.slice(0, 1), nodeHasher) });
  expect((await post(formatAddCheckpoint({ oldSize: 0, proof: [], noteText: signNote(wrong, [log]) }))).status).toBe(422);
});

test("answers 422 to a proof from nothing", async () => {
  expect((await post(formatAddCheckpoint({ oldSize: 0, proof: leaves.slice(0, 1), noteText: note(5) }))).status).toBe(422);
});

test("answers 404 for an unknown origin and 403 without a trusted signature", async () => {
  const other = createNoteKey(join(directory, "other"), "other.example", "ed25519");
  expect((await add(0, 5, note(5, { by: other, origin: "other.example" }))).status).toBe(404);
  expect((await add(0, 5, note(5, { by: stranger }))).status).toBe(403);
  expect((await add(0, 5, note(5, { by: other }))).status).toBe(403);
  const forged = note(5).replace(parseNote(note(5)).text, parseNote(note(6)).text);
  expect((await add(0, 6, forged)).status).toBe(403);
});

test("answers 400 to what is no request, and 413 to what is too much", async () => {
  const good = formatAddCheckpoint({ oldSize: 0, proof: [], noteText: note(5) });
  for (const body of ["", "old 0\n", good.replace("old 0", "old 00"), good.replace("old 0", "old 6"), good.replace("\n\n", "\nAAAA\n\n")]) {
    expect([body, (await post(body)).status]).toEqual([body, 400]);
  }
  expect((await post("x".repeat(1_000_000))).status).toBe(413);
});

test("answers 400 or 403 to hostile sizes and signatures, and goes on", async () => {
  const good = formatAddCheckpoint({ oldSize: 0, proof: [], noteText: note(5) });
  const line = good.slice(good.lastIndexOf("\u2014"));
  for (const size of ["9007199254740992", "9223372036854775807", "9223372036854775808", "18446744073709551616", "9".repeat(1000), "-1"]) {
    expect([size, (await post(good.replace("\n5\n", `\n${size}\n`))).status]).toEqual([size, 400]);
    expect([size, (await post(good.replace("old 0", `old ${size}`))).status]).toEqual([size, 400]);
  }
  expect((await post(good.replace("\n5\n", "\n9007199254740991\n"))).status).toBe(403);
  const unknown = "\u2014 x AAAAAQA=\n";
  expect((await post(good + unknown.repeat(64))).status).toBe(400);
  expect((await post(good + line.replace(/ [^ ]+\n/, ` ${Buffer.alloc(68).toString("base64")}\n`))).status).toBe(200);
  expect((await post(good.replace("old 0", "old 5") + line.repeat(15))).status).toBe(200);
  expect((await post(good.replace("old 0", "old 5") + unknown.repeat(40))).status).toBe(200);
});

test("shows headers alone when asked for them", async () => {
  await add(0, 5);
  const response = await fetch(`${witness.url}/${witnessedCheckpointPath("log.example")}`, { method: "HEAD" });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
});

test("cosigns one of two checkpoints of different roots that arrive together", async () => {
  await add(0, 5);
  const answers = await Promise.all([add(5, 13), add(5, 14), add(5, 13)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
});

test("shows nothing for a log that it has not witnessed yet, or does not follow", async () => {
  expect((await fetch(`${witness.url}/${witnessedCheckpointPath("log.example")}`)).status).toBe(404);
  expect((await fetch(`${witness.url}/${witnessedCheckpointPath("other.example")}`)).status).toBe(404);
});

test("does not start with a log's key", async () => {
  const config = { dataDirectory: join(directory, "second"), signer: log, host: "127.0.0.1", port: 0, logs: new Map() };
  await expect(startWitness(config, { logger: silentLogger })).rejects.toThrow("log.example is a key of a log");
});
