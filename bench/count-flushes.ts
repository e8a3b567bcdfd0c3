import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Flushes of one process, by what they make durable. */
export type Flushes = { readonly journal: number; readonly lockStore: number; readonly tiles: number };

/** Counts, with strace, the flushes (fsync, fdatasync, syncfs) that the log of this process id and its children make while `act` runs. */
export async function countFlushes(pid: number, act: () => Promise<void>): Promise<Flushes> {
  const words = ["-f", "-y", "-e", "trace=fsync,fdatasync,syncfs", "-e", "signal=none", "-p", String(pid)];
  const strace = spawn("strace", words, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(strace, "exit");
  const counted = { journal: 0, lockStore: 0, tiles: 0 };
  const lines = createInterface({ input: strace.stderr });
  const attached = once(lines, "line", { signal: AbortSignal.timeout(10_000) });
  lines.on("line", (line) => {
    const path = /(?:f(?:data)?sync|syncfs)\(\d+<([^>]+)>/.exec(line)?.[1];
    if (path === undefined) return;
    if (path.endsWith(".journal") || path.endsWith("/journal")) counted.journal += 1;
    else if (path.includes("/lock-store.sqlite")) counted.lockStore += 1;
    else counted.tiles += 1;
  });
  await Promise.race([attached, ended.then(() => Promise.reject(new Error("counting flushes: strace did not attach; run as root")))]);
  await act();
  strace.kill("SIGINT");
  await ended;
  return counted;
}
