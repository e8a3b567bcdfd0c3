import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { formatCheckpoint } from "@quorate/tlog/checkpoint";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import { signNote } from "@quorate/tlog/note";
import { verifyEd25519Portable } from "@quorate/tlog/portable-ed25519";
import { testSigner } from "@quorate/tlog/signer.fixture";
import { VerificationError } from "@quorate/tlog/verification-error";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "./local-server.fixture.ts";
import { createLogReader } from "./log-reader.ts";
import { writeLogFile, writeTiles } from "./served-log.fixture.ts";

const entryCount = 600;
const entries = Array.from({ length: entryCount }, (_, index) => new TextEncoder().encode(`entry ${index}`));
const leaves = entries.map((entry) => leafHash(entry));

let directory = "";

/** Note text with a signature of nobody: these readers are given no log key. */
async function publish(size: number, root = rootOf(leaves.slice(0, size))): Promise<void> {
  await writeLogFile(directory, "checkpoint", `${formatCheckpoint({ origin: "log.example", size, root })}\n— nobody AAAAAAAAAA==\n`);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-log-reader-"));
  for (const size of [300, entryCount]) await writeTiles(directory, entries.slice(0, size));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const readerOf = () => createLogReader({ url: pathToFileURL(directory).href });

describe("a log reader", () => {
  it("reads every entry, in order, and any of them with its place in the tree checked", async () => {
    await publish(entryCount);
    const reader = readerOf();
    const { checkpoint } = await reader.checkpoint();
    const read = [];
    for await (const { index, bytes } of reader.entries({ from: 250, to: 520, size: checkpoint.size })) read.push([index, bytes]);
    expect(read).toEqual(entries.slice(250, 520).map((bytes, offset) => [offset + 250, bytes]));
    for (const index of [0, 255, 256, 511, 599]) expect(await reader.entry(index, entryCount)).toEqual(entries[index]);
  });

  it("proves that a later tree holds an earlier one", async () => {
    const reader = readerOf();
    for (const size of [300, entryCount]) {
      await publish(size);
      await reader.checkpoint();
    }
    expect(await reader.consistencyProof(300, entryCount)).not.toHaveLength(0);
  });

  it("takes a checkpoint that any of the log's keys has signed, and no other", async () => {
    const [first, second, other] = [1, 2, 3].map((seed) => testSigner("log.example", seed));
    const text = formatCheckpoint({ origin: "log.example", size: entryCount, root: rootOf(leaves) });
    const keys = [first, second].flatMap((signer) => signer?.key ?? []);
    const reader = createLogReader({ url: pathToFileURL(directory).href, signedBy: { keys, verify: verifyEd25519Portable } });
    await writeLogFile(directory, "checkpoint", signNote(text, second ? [second] : []));
    expect((await reader.checkpoint()).checkpoint.size).toBe(entryCount);
    await writeLogFile(directory, "checkpoint", signNote(text, other ? [other] : []));
    await expect(reader.checkpoint()).rejects.toThrow(VerificationError);
  });

  it("refuses two roots for one size", async () => {
    const reader = readerOf();
    await publish(entryCount);
    await reader.checkpoint();
    await publish(entryCount, rootOf(leaves.slice(1)));
    await expect(reader.checkpoint()).rejects.toThrow("one size, two roots");
  });

  it("refuses entries and proofs from tiles that do not lead to the checkpoint's root", async () => {
    await publish(entryCount, rootOf(leaves.toReversed()));
    const reader = readerOf();
    await reader.checkpoint();
    await expect(reader.inclusionProof(3, entryCount)).rejects.toThrow("the proof leads to another root");
    await expect(reader.entry(3, entryCount)).rejects.toThrow("the proof leads to another root");
  });

  it("takes the full tile where the partial one was dropped", async () => {
    await using server = await serve(async (request, response) => {
      const path = join(directory, request.url ?? "");
      const bytes = path.includes("/001.p/") ? undefined : await readFile(path).catch(() => undefined);
      response.writeHead(bytes ? 200 : 404).end(bytes);
    });
    await publish(300);
    const reader = createLogReader({ url: server.url });
    await reader.checkpoint();
    expect(await reader.entry(299, 300)).toEqual(entries[299]);
  });

  it("names the tile that is missing", async () => {
    await publish(entryCount);
    const reader = readerOf();
    await reader.checkpoint();
    await rm(join(directory, "tile/entries/002.p"), { recursive: true });
    await expect(reader.entry(599, entryCount)).rejects.toThrow("reading tile/entries/002.p/88 of the log: it is missing");
  });
});
