import { execFile } from "node:child_process";
import { statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { request } from "@quorate/client/http";
import { CommandError, errorLine } from "../command-error.ts";
import type { WorkerHost } from "./plan-worker.ts";

const mebibyte = 2 ** 20;
const workerCheck = fileURLToPath(new URL("../../../worker/src/check-host-main.ts", import.meta.url));

/** Tools and namespaces, as the worker needs them. @throws CommandError that says what this host lacks */
export async function requireBuildHost(doing: string, variables: Readonly<Record<string, string>>): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, [workerCheck], { env: variables, timeout: 60_000 });
  } catch (cause) {
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
    throw new CommandError(`${doing}: ${said || errorLine(cause)}`);
  }
}

/** What this machine has for builds below `directory`, and how far its clock is from that of the network at `url`. */
export async function inspectHost(directory: string, url: string, signal: AbortSignal): Promise<WorkerHost> {
  const { bavail, bsize } = await statfs(directory);
  // In a container the kernel may allow less than the machine has.
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return {
    cores: availableParallelism(),
    memoryMib: Math.floor(memory / mebibyte),
    freeDiskMib: Math.floor((bavail * bsize) / mebibyte),
    clockSeconds: await clockDifference(url, signal),
  };
}

/** By the `date` header, to the second; a network that is away says nothing, and the worker waits for it. */
async function clockDifference(url: string, signal: AbortSignal): Promise<number | undefined> {
  const answer = await request({ doing: "asking the network for its time", url: `${url}/v1/network`, signal, deadlineSeconds: 10 }).catch(
    () => undefined,
  );
  signal.throwIfAborted();
  const date = Date.parse(answer?.headers.get("date") ?? "");
  return Number.isNaN(date) ? undefined : Math.round((Date.now() - date) / 1000);
}
