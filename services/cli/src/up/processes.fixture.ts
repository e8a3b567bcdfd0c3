import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Running processes, other than this one, that were started with that directory in their arguments or environment. */
export async function processesOf(directory: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(async (pid) => ((await mentions(pid, directory)) ? pid : undefined)));
  return found.flatMap((pid) => (pid === undefined || pid === process.pid ? [] : [pid]));
}

async function mentions(pid: number, directory: string): Promise<boolean> {
  try {
    const [commandLine, environment] = await Promise.all(
      ["cmdline", "environ"].map((file) => readFile(join("/proc", String(pid), file), "utf8")),
    );
    return `${commandLine}\0${environment}`.includes(directory);
  } catch {
    // It has ended, or belongs to another user.
    return false;
  }
}
