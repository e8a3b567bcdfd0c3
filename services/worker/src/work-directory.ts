import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * An empty directory for one job, deleted when disposed. What an earlier process left of the same job is deleted first. A tree that cannot
 * be deleted afterwards is only said: it must not cost the result.
 */
export async function createWorkDirectory(
  dataDirectory: string,
  job: string,
  undeletable: (path: string, error: unknown) => void,
): Promise<AsyncDisposable & { path: string }> {
  const path = join(dataDirectory, "work", job);
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true, mode: 0o700 });
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }).catch((error: unknown) => undeletable(path, error)),
  };
}

/** Deletes what an earlier process left of any job. */
export async function deleteLeftOvers(dataDirectory: string, undeletable: (path: string, error: unknown) => void): Promise<void> {
  const path = join(dataDirectory, "work");
  await rm(path, { recursive: true, force: true }).catch((error: unknown) => undeletable(path, error));
}
