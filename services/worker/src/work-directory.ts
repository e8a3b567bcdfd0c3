import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** An empty directory for one job, deleted when disposed. What an earlier process left of the same job is deleted first. */
export async function createWorkDirectory(dataDirectory: string, job: string): Promise<AsyncDisposable & { path: string }> {
  const path = join(dataDirectory, "work", job);
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  await remove();
  await mkdir(path, { recursive: true, mode: 0o700 });
  return { path, [Symbol.asyncDispose]: remove };
}

/** Deletes what an earlier process left of any job. */
export async function deleteLeftOvers(dataDirectory: string): Promise<void> {
  await rm(join(dataDirectory, "work"), { recursive: true, force: true });
}
