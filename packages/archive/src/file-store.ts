import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { writeVerified } from "./fetch.ts";
import type { StoredFile } from "./index-file.ts";

/** Files of one machine's cache by their digest, each written once and whole. */
export type FileStore = {
  /** Where a file of that digest is, or would be. */
  pathOf(sha256: Sha256): string;
  /** Marks it as in use. */
  find(file: { sha256: Sha256; sizeBytes: number }): Promise<StoredFile | undefined>;
  read(sha256: Sha256): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<StoredFile>;
  /** @throws ArchiveError "digest-differs" */
  saveStream(chunks: AsyncIterable<Uint8Array>, expected: { sha256: Sha256; sizeBytes: number }, what: string): Promise<StoredFile>;
  /** Marks a file as in use; false when it is gone. */
  touch(file: StoredFile): Promise<boolean>;
  /** A path for something that is not yet checked. */
  scratchPath(): string;
};

/** Some forty states of a large suite; exceeded by an eighth at most, so that not each saving looks at all files. */
const maxStoredBytes = 4 * 1024 * 1024 * 1024;
/** Whoever was handed a file has had the time to keep a copy. */
const minStoredSeconds = 86_400;

export async function openFileStore(directory: string): Promise<FileStore> {
  await mkdir(join(directory, "by-sha256"), { recursive: true });
  await mkdir(join(directory, "scratch"), { recursive: true });
  // What a process that was cut off left behind.
  await removeOldest(join(directory, "scratch"), { maxBytes: 0, minAgeSeconds: 3600 });
  const bound = { maxBytes: maxStoredBytes, minAgeSeconds: minStoredSeconds };
  await removeOldest(join(directory, "by-sha256"), bound);
  let unboundedBytes = 0;
  const pathOf = (sha256: Sha256) => join(directory, "by-sha256", sha256);
  return {
    pathOf,
    find: async ({ sha256, sizeBytes }) => {
      const found = await stat(pathOf(sha256)).catch(() => undefined);
      if (found?.isFile() !== true || found.size !== sizeBytes) return undefined;
      const stored = { sha256, sizeBytes, file: pathOf(sha256) };
      return (await touch(stored)) ? stored : undefined;
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
      unboundedBytes += expected.sizeBytes;
      if (unboundedBytes > maxStoredBytes / 8) {
        unboundedBytes = 0;
        await removeOldest(join(directory, "by-sha256"), bound);
      }
      return { ...expected, file: pathOf(expected.sha256) };
    },
    touch,
    scratchPath: () => join(directory, "scratch", randomBytes(8).toString("hex")),
  };
}

/** The time of a file's last change is that of its last use. */
async function touch({ file }: StoredFile): Promise<boolean> {
  return await utimes(file, new Date(), new Date()).then(
    () => true,
    () => false,
  );
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

/** Removes files from the least recently used on, until no more than `maxBytes` are left; never one younger than `minAgeSeconds`. */
export async function removeOldest(
  directory: string,
  { maxBytes, minAgeSeconds }: { maxBytes: number; minAgeSeconds: number },
): Promise<void> {
  const files: { path: string; sizeBytes: number; usedAt: number }[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true) files.push({ path, sizeBytes: found.size, usedAt: found.mtimeMs });
  }
  let total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  for (const { path, sizeBytes, usedAt } of files.sort((a, b) => a.usedAt - b.usedAt)) {
    if (total <= maxBytes || usedAt > Date.now() - minAgeSeconds * 1000) return;
    await rm(path, { force: true });
    total -= sizeBytes;
  }
}

function digestOf(bytes: Uint8Array): Sha256 {
  return parseSha256(createHash("sha256").update(bytes).digest("hex"));
}
