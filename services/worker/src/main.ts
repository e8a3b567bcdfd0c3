import { type Archive, parseArchives } from "@quorate/archive/archive-config";
import { runService } from "@quorate/service/run";
import { readFile } from "node:fs/promises";
import { parseWorkerConfig } from "./config.ts";
import { openDebianExecutor } from "./debian/debian-executor.ts";
import { startWorker } from "./start.ts";

await runService("worker", async ({ env, logger, signal, fail }) => {
  const { worker, debian } = parseWorkerConfig(env);
  const archives = await loadArchives(debian.archivesFile);
  const { packageCacheDirectory } = debian;
  const openExecutor = (dataDirectory: string) => openDebianExecutor({ dataDirectory, packageCacheDirectory, archives });
  const started = await startWorker({ config: worker, openExecutor, logger, signal, fail });
  // Ends like any other stop.
  if (worker.once) void started.finished.then(() => process.kill(process.pid, "SIGTERM"));
  return started;
});

async function loadArchives(path: string): Promise<Archive[]> {
  try {
    return parseArchives(await readFile(path, "utf8"));
  } catch (cause) {
    throw new Error(`loading the archives of ARCHIVES_FILE ${path} failed`, { cause });
  }
}
