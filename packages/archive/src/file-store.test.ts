import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Of } from "@quorate/protocol/digest";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openFileStore, removeOldest } from "./file-store.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "file-store-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const bytes = new TextEncoder().encode("contents");
const expected = { sha256: sha256Of(bytes), sizeBytes: bytes.length };
async function* chunksOf(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text);
}

describe("the file store", () => {
  test("finds and reads what was saved, whole or as a stream", async () => {
    const store = await openFileStore(directory);
    expect(await store.find(expected)).toBeUndefined();
    const stored = await store.saveStream(chunksOf("con", "tents"), expected, "saving");
    expect(await store.save(bytes)).toEqual(stored);
    expect(await store.find(expected)).toEqual(stored);
    expect(Buffer.from((await store.read(expected.sha256)) ?? "")).toEqual(Buffer.from(bytes));
  });

  test("keeps nothing of a stream with another digest", async () => {
    const store = await openFileStore(directory);
    await expect(store.saveStream(chunksOf("contenta"), expected, "saving")).rejects.toMatchObject({ code: "digest-differs" });
    expect(await readdir(join(directory, "by-sha256"))).toEqual([]);
  });

  test("does not hand out bytes that were damaged on disk", async () => {
    const store = await openFileStore(directory);
    const { file } = await store.save(bytes);
    await writeFile(file, "CONTENTS");
    expect(await store.read(expected.sha256)).toBeUndefined();
  });

  test("removes the least recently used beyond its bound, and nothing young", async () => {
    const old = new Date("2020-01-01");
    for (const [i, name] of ["a", "b", "c", "young"].entries()) {
      await writeFile(join(directory, name), "0123456789");
      if (name !== "young") await utimes(join(directory, name), old, new Date(old.getTime() + i * 1000));
    }
    await removeOldest(directory, { maxBytes: 25, minAgeSeconds: 60 });
    expect(await readdir(directory)).toEqual(["c", "young"]);
    await removeOldest(directory, { maxBytes: 0, minAgeSeconds: 60 });
    expect(await readFile(join(directory, "young"), "utf8")).toBe("0123456789");
  });
});
