import { randomUUID } from "node:crypto";
import { link, mkdir, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Names of unfinished files begin with this; a start of a service may delete them. */
export const temporaryPrefix = ".tmp-";

export type DurableFileOptions = {
  /** Permission bits; default 0644. */
  mode?: number;
  /** `false` refuses (error code `EEXIST`) to replace a file that is there. Default true. */
  replace?: boolean;
};

/**
 * Writes a file so that after a crash either the old or the new content is there, whole, and after the promise resolves the new one:
 * a temporary file beside it, fsync, rename (or link, which does not replace), fsync of the directory.
 */
export async function writeDurableFile(path: string, content: Uint8Array | string, options: DurableFileOptions = {}): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `${temporaryPrefix}${basename(path)}-${randomUUID()}`);
  try {
    const file = await open(temporary, "wx", options.mode ?? 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    if (options.replace === false) await link(temporary, path);
    else await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  if (options.replace === false) await unlink(temporary);
  await syncDirectory(directory);
}

/** Makes a directory, unless it is there, so that it is there after a crash too. The directory above it must be durable. */
export async function makeDurableDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  await syncDirectory(dirname(path));
}

/** Makes creations, renames and deletions in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
