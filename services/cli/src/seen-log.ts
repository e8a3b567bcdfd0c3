import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { parseDecimal } from "@quorate/tlog/decimal";
import { readIfThere, saveFile } from "./own-files.ts";

type Seen = Pick<Checkpoint, "origin" | "size">;

/** Beside the snapshot: whoever puts an older snapshot back does not put this back with it. */
const pathFor = (directory: string): string => `${directory.replace(/\/+$/, "")}.seen`;

/**
 * How large a log is known to have been: its origin and its size, a line each.
 *
 *     log.example
 *     70000
 */
export async function saveSeenLog(directory: string, { origin, size }: Seen): Promise<void> {
  await saveFile(pathFor(directory), `${origin}\n${size}\n`);
}

/** Why a checkpoint is from before what this host has seen of the log; `undefined` when it is not. @throws ParseError for a file that is damaged */
export async function findRollback(directory: string, { origin, size }: Seen): Promise<string | undefined> {
  const [seenOrigin, seenSize = ""] = ((await readIfThere(pathFor(directory))) ?? "").split("\n");
  if (seenOrigin !== origin) return undefined;
  const largest = parseDecimal("size of the log that was seen", seenSize);
  return size >= largest ? undefined : `it has ${size} entries of ${origin}, and ${largest} have been seen here: it was rolled back`;
}
