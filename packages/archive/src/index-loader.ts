import { rm } from "node:fs/promises";
import type { ListedFile } from "@quorate/debian/file-list";
import type { Release } from "@quorate/debian/release";
import { ArchiveError } from "./archive-error.ts";
import { compressions, decompress } from "./decompress.ts";
import { fetchToFile, type FetchLimits } from "./fetch.ts";
import type { FileStore } from "./file-store.ts";
import { type IndexFile, openIndexFile, type StoredFile } from "./index-file.ts";

/** Larger than any distribution's index by an order of magnitude; bounds disk and memory against a signed mistake. */
const maxIndexBytes = 768 * 1024 * 1024;

type IndexSource = { url: string; suite: string; release: Release; store: FileStore; limits: FetchLimits };

/** Opens each index of a suite's state once: from the store, or fetched, decompressed and checked against InRelease at both stages. */
export function createIndexLoader(source: IndexSource): (path: string) => Promise<IndexFile> {
  const opened = new Map<string, Promise<IndexFile>>();
  return async (path) => {
    // Each use waits for the one before, so that callers at the same time share one fetch.
    const last = opened.get(path);
    const loading = stillThere(source.store, last).then(async (kept) => kept ?? (await openIndex(source, path)));
    opened.set(path, loading);
    try {
      return await loading;
    } catch (error) {
      if (opened.get(path) === loading) opened.delete(path);
      throw error;
    }
  };
}

async function stillThere(store: FileStore, last: Promise<IndexFile> | undefined): Promise<IndexFile | undefined> {
  const index = await last?.catch(() => undefined);
  return index !== undefined && (await store.touch(index.stored)) ? index : undefined;
}

async function openIndex(source: IndexSource, path: string): Promise<IndexFile> {
  const text = listedIndex(source.release, source.suite, path);
  const stored = await source.store.find(text);
  if (stored !== undefined) {
    try {
      return await openIndexFile(path, stored);
    } catch (error) {
      // Damage on this disk: what is fetched anew replaces it.
      if (!(error instanceof ArchiveError) || error.code !== "digest-differs") throw error;
    }
  }
  return await openIndexFile(path, await fetchIndex(source, path, text));
}

/** @throws ArchiveError "not-found" with the indices that there are */
export function listedIndex(release: Release, suite: string, path: string): ListedFile {
  const text = release.files.get(path);
  if (text === undefined) {
    const known = [...release.files.keys()].filter((file) => /\/(Packages|Sources)$/.test(file) && !file.includes("debian-installer"));
    throw new ArchiveError("not-found", `InRelease of ${suite} lists no ${path}; it lists ${known.join(", ") || "no indices"}`);
  }
  if (text.sizeBytes > maxIndexBytes)
    throw new ArchiveError("too-large", `${path} of ${suite} has ${text.sizeBytes} bytes, more than ${maxIndexBytes}`);
  return text;
}

async function fetchIndex(source: IndexSource, path: string, text: ListedFile): Promise<StoredFile> {
  const { release, store, suite } = source;
  let missing: unknown;
  for (const compression of compressions) {
    const listed = release.files.get(`${path}${compression}`);
    if (listed === undefined) continue;
    const scratch = store.scratchPath();
    try {
      await fetchListed(source, listed, scratch);
      const what = `decompressing ${path}${compression} of ${suite}`;
      return await store.saveStream(decompress(scratch, compression, text.sizeBytes), text, what);
    } catch (error) {
      if (!(error instanceof ArchiveError) || error.code !== "not-found") throw error;
      missing = error;
    } finally {
      await rm(scratch, { force: true });
    }
  }
  throw new ArchiveError("not-found", `fetching ${path} of ${suite}: the archive has it in no compression`, { cause: missing });
}

/** By digest where the archive has such names: they stay right while the archive is being updated. */
async function fetchListed({ url, suite, release, limits }: IndexSource, listed: ListedFile, path: string): Promise<void> {
  const plain = `${url}/dists/${suite}/${listed.path}`;
  if (release.acquireByHash) {
    try {
      return await fetchToFile(`${plain.slice(0, plain.lastIndexOf("/"))}/by-hash/SHA256/${listed.sha256}`, {
        ...limits,
        path,
        expected: listed,
      });
    } catch (error) {
      if (!(error instanceof ArchiveError) || error.code !== "not-found") throw error;
    }
  }
  await fetchToFile(plain, { ...limits, path, expected: listed });
}
