import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type WorkerStatus, workerStatusSchema } from "@quorate/protocol/worker";

/** What the worker whose data is in this directory says of itself; `undefined` when it has said nothing that can be read. */
export async function loadWorkerStatus(dataDirectory: string): Promise<WorkerStatus | undefined> {
  try {
    return workerStatusSchema.parse(JSON.parse(await readFile(join(dataDirectory, "status.json"), "utf8")));
  } catch {
    return undefined;
  }
}
