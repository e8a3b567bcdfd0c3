import { readFileSync, renameSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";

const maxLogBytes = 16 * 2 ** 20;

/** Before a child starts: keeps its log bounded. The part before the last rotation stays as `<log>.1`. */
export function rotateLog(path: string): void {
  const present = statSync(path, { throwIfNoEntry: false });
  if (present && present.size > maxLogBytes) renameSync(path, `${path}.1`);
}

/** What the log of a child that did not start says about it, for people. */
export function startComplaint(path: string): string {
  return complaintOf(readFileSync(path, "utf8"), path) ?? (isFull(path) ? fullDisk(path) : `; its log ${path} is empty`);
}

/** A service says why it ends in its last line, a JSON object; other programs in lines of their own. */
export function complaintOf(text: string, path: string): string | undefined {
  const lines = text.trimEnd().split("\n").slice(-8);
  const last = fatalMessage(lines.at(-1) ?? "");
  if (last !== undefined) return `: ${last} (its log: ${path})`;
  return lines.join("") === "" ? undefined : `; the end of its log ${path}:\n  ${lines.join("\n  ")}`;
}

const fatalLevel = 60;

function fatalMessage(line: string): string | undefined {
  try {
    const { level, msg }: { level?: unknown; msg?: unknown } = Object(JSON.parse(line));
    return level === fatalLevel && typeof msg === "string" ? msg : undefined;
  } catch {
    return undefined;
  }
}

/** A child that cannot even write its log has no other way to say so. */
function isFull(path: string): boolean {
  const { bavail, bsize, ffree } = statfsSync(dirname(path));
  return bavail * bsize < 65_536 || ffree === 0;
}

const fullDisk = (path: string) =>
  `: no space is left on the file system of ${dirname(dirname(path))}; make room there, or use another data directory with --data`;
