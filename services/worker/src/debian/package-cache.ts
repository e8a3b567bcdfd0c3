import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { ArchiveError } from "@quorate/archive/archive-error";
import { fetchToFile } from "@quorate/archive/fetch";
import { openFileStore } from "@quorate/archive/file-store";
import type { Sha256 } from "@quorate/protocol/digest";

export type WantedFile = { url: string; sizeBytes: number; sha256: Sha256 };

/** Files of archives by digest, on this machine, shared by all its workers: files are only added, each whole, and trusted for nothing. */
export interface PackageCache {
  /**
   * A file whose bytes have just been checked: a stored one, or else one fetched from `url`.
   *
   * @throws ArchiveError when it can neither be found nor fetched
   */
  load(wanted: WantedFile, signal: AbortSignal): Promise<string>;
  /** Keeps bytes that came another way. @throws ArchiveError when they are not the ones that were asked for */
  loadFrom(sha256: Sha256, fetchBytes: () => Promise<Uint8Array>): Promise<{ file: string; sizeBytes: number }>;
}

const fetchDeadlineSeconds = 900;

export async function openPackageCache(directory: string): Promise<PackageCache> {
  const store = await openFileStore(directory);
  const loading = new Map<Sha256, Promise<string>>();

  const load = async ({ url, sizeBytes, sha256 }: WantedFile, signal: AbortSignal) => {
    const path = store.pathOf(sha256);
    const stored = await store.find({ sha256, sizeBytes });
    if (stored !== undefined && (await digestOfFile(path)) === sha256) return path;
    await rm(path, { force: true });
    await fetchToFile(url, { path, expected: { sha256, sizeBytes }, deadlineSeconds: fetchDeadlineSeconds, signal });
    return path;
  };

  return {
    load: async (wanted, signal) => {
      const other = loading.get(wanted.sha256);
      // Another build's request may be aborted while this one still wants the file.
      if (other !== undefined && (await other.then(() => true).catch(() => false))) return store.pathOf(wanted.sha256);
      const own = load(wanted, signal).finally(() => loading.delete(wanted.sha256));
      loading.set(wanted.sha256, own);
      return await own;
    },
    loadFrom: async (sha256, fetchBytes) => {
      const stored = await store.read(sha256);
      if (stored !== undefined) return { file: store.pathOf(sha256), sizeBytes: stored.length };
      const bytes = await fetchBytes();
      const digest = createHash("sha256").update(bytes).digest("hex");
      if (digest !== sha256) throw new ArchiveError("digest-differs", `fetching the blob ${sha256}: digest differs: ${digest}`);
      const { file } = await store.save(bytes);
      return { file, sizeBytes: bytes.length };
    },
  };
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest("hex");
}
