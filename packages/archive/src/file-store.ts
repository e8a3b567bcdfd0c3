import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { writeVerified } from "./fetch.ts";
import type { StoredFile } from "./index-file.ts";

/** Files of one machine's cache by their digest, each written once and whole. */
export type FileStore = {
  /** Where a file of that digest is, or would be. */
  pathOf(sha256: Sha256): string;
  find(file: { sha256: Sha256; sizeBytes: number }): Promise<StoredFile | undefined>;
  read(sha256: Sha256): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<StoredFile>;
  /** @throws ArchiveError "digest-differs" */
  saveStream(chunks: AsyncIterable<Uint8Array>, expected: { sha256: Sha256; sizeBytes: number }, what: string): Promise<StoredFile>;
  /** A path for something that is not yet checked. */
  scratchPath(): string;
};

export async function openFileStore(directory: string): Promise<FileStore> {
  await mkdir(join(directory, "by-sha256"), { recursive: true });
  await mkdir(join(directory, "scratch"), { recursive: true });
  const pathOf = (sha256: Sha256) => join(directory, "by-sha256", sha256);
  return {
    pathOf,
    find: async ({ sha256, sizeBytes }) => {
      const found = await stat(pathOf(sha256)).catch(() => undefined);
      return found?.isFile() === true && found.size === sizeBytes ? { sha256, sizeBytes, file: pathOf(sha256) } : undefined;
    },
    read: async (sha256) => {
      const bytes = await readFile(pathOf(sha256)).catch(() => undefined);
      return bytes !== undefined && digestOf(bytes) === sha256 ? bytes : undefined;
    },
    save: async (bytes) => {
      const stored = { sha256: digestOf(bytes), sizeBytes: bytes.length, file: pathOf(digestOf(bytes)) };
      await writeDurably(stored.file, bytes);
      return stored;
    },
    saveStream: async (chunks, expected, what) => {
      await writeVerified(chunks, { path: pathOf(expected.sha256), expected, what });
      return { ...expected, file: pathOf(expected.sha256) };
    },
    scratchPath: () => join(directory, "scratch", randomBytes(8).toString("hex")),
  };
}

/** Replaces a file whole: a crash leaves the old bytes or the new ones. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.part-${randomBytes(6).toString("hex")}`;
  {
    await using file = await open(part, "wx", 0o644);
    await file.writeFile(bytes);
    await file.sync();
  }
  await rename(part, path);
}

function digestOf(bytes: Uint8Array): Sha256 {
  return parseSha256(createHash("sha256").update(bytes).digest("hex"));
}
