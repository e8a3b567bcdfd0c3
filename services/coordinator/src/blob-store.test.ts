import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BlobRefusedError, openBlobStore } from "./blob-store.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-blobs-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function* chunksOf(bytes: Uint8Array) {
  for (let start = 0; start < bytes.length; start += 1000) yield bytes.subarray(start, start + 1000);
}
const content = utf8("build log line\n".repeat(5000));
const sha256 = sha256Of(content);
const files = async () => (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());

test("content comes back as it was written, also after the store is opened again", async () => {
  const store = await openBlobStore(directory);
  expect(await store.has(sha256)).toBe(false);
  await store.write({ sha256, maxBytes: content.length }, chunksOf(content));
  const again = await openBlobStore(directory);
  expect(await again.load(sha256, content.length)).toEqual(content);
});

test("the empty blob is a blob", async () => {
  const store = await openBlobStore(directory);
  const empty = sha256Of(new Uint8Array());
  await store.write({ sha256: empty, maxBytes: 0 }, chunksOf(new Uint8Array()));
  expect(await store.load(empty, 0)).toEqual(new Uint8Array());
});

test.each<[string, { sha256: Sha256; maxBytes: number }, BlobRefusedError["reason"]]>([
  ["has another digest", { sha256: sha256Of(utf8("other")), maxBytes: content.length }, "digest-differs"],
  ["is larger than allowed", { sha256, maxBytes: content.length - 1 }, "too-large"],
])("content that %s is refused and leaves nothing behind", async (_name, expected, reason) => {
  const store = await openBlobStore(directory);
  await expect(store.write(expected, chunksOf(content))).rejects.toMatchObject({ name: "BlobRefusedError", reason });
  expect(await files()).toEqual([]);
});

test("an upload that breaks off leaves nothing behind", async () => {
  const store = await openBlobStore(directory);
  async function* broken() {
    yield content.subarray(0, 10);
    throw new Error("connection lost");
  }
  await expect(store.write({ sha256, maxBytes: content.length }, broken())).rejects.toThrow("connection lost");
  expect(await files()).toEqual([]);
});

test("what a killed process left unfinished is deleted when the store is opened", async () => {
  await openBlobStore(directory);
  await writeFile(join(directory, "incoming", ".tmp-left"), "half");
  await openBlobStore(directory);
  expect(await files()).toEqual([]);
});

test("a damaged file is noticed and not handed out whole", async () => {
  const store = await openBlobStore(directory);
  await store.write({ sha256, maxBytes: content.length }, chunksOf(content));
  const [file] = await files();
  if (file) await writeFile(join(file.parentPath, file.name), utf8("not zstd"));
  await expect(store.load(sha256, content.length)).rejects.toThrow(/frame|prefix|zstd/i);
});
