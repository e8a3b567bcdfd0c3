import { readFile, rm } from "node:fs/promises";
import { writeDurableFile } from "@quorate/service/durable-file";
import { z } from "zod";
import type { Layout } from "./layout.ts";

/** What a running network tells the other commands on its host. Holds the API token: only its owner may read it. */
const runningSchema = z.object({ pid: z.int().positive(), url: z.url(), token: z.string(), logUrl: z.url() });
export type RunningNetwork = z.infer<typeof runningSchema>;

export async function announceRunning(layout: Layout, running: RunningNetwork): Promise<AsyncDisposable> {
  await writeDurableFile(layout.running, `${JSON.stringify(running)}\n`, { mode: 0o600 });
  return { [Symbol.asyncDispose]: () => rm(layout.running, { force: true }) };
}

/** The network that runs on this host from that data directory, if one does. */
export async function findRunning(layout: Layout): Promise<RunningNetwork | undefined> {
  const text = await readFile(layout.running, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const running = runningSchema.safeParse(JSON.parse(text));
  return running.success && isAlive(running.data.pid) ? running.data : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
