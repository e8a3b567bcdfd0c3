import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Of an argument list that the system takes, whatever the paths. */
const pathsAtOnce = 200;
const deadlineMilliseconds = 10_000;
const maxOutputBytes = 2 ** 20;

/**
 * How many of the files have fs-verity on: the kernel hands out no other bytes of them, whatever the disk holds. Read from the files' attributes by
 * lsattr(1), which is on every Debian system.
 *
 * @throws Error when lsattr cannot be run
 */
export async function countProtectedFiles(places: readonly string[]): Promise<number> {
  let count = 0;
  for (let at = 0; at < places.length; at += pathsAtOnce) {
    const some = places.slice(at, at + pathsAtOnce);
    count += parseProtected(await listAttributes(some), new Set(some)).length;
  }
  return count;
}

/**
 * Those of the places that lsattr(1) lists with a `V`.
 *
 *     --------------e----V-- /usr/bin/tool
 */
export function parseProtected(listed: string, places: ReadonlySet<string>): string[] {
  return listed.split("\n").flatMap((line) => {
    const [, attributes = "", place = ""] = /^([-A-Za-z]+) (.+)$/.exec(line) ?? [];
    return attributes.includes("V") && places.has(place) ? [place] : [];
  });
}

/** Its exit status is 1 when a file is gone, or its file system has no attributes: the others are listed all the same. */
async function listAttributes(places: readonly string[]): Promise<string> {
  try {
    const limits = { timeout: deadlineMilliseconds, maxBuffer: maxOutputBytes };
    return (await promisify(execFile)("lsattr", ["-d", "--", ...places], limits)).stdout;
  } catch (cause) {
    if (cause instanceof Error && "stdout" in cause && "code" in cause && cause.code === 1) return String(cause.stdout);
    throw new Error(`asking lsattr which files have fs-verity on: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
