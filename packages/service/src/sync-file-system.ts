import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Makes all that was written to the file system of `path` durable, by anybody, in one flush: syncfs, through the coreutils' `sync`. */
export async function syncFileSystem(path: string): Promise<void> {
  try {
    await run("sync", ["--file-system", path]);
  } catch (cause) {
    throw new Error(`flushing the file system of ${path} with sync`, { cause });
  }
}
