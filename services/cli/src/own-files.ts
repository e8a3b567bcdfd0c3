import { readFile } from "node:fs/promises";
import { type DurableFileOptions, writeDurableFile } from "@quorate/service/durable-file";
import { CommandError, errorLine, systemReason } from "./command-error.ts";

/** The text of a file that a command keeps; `undefined` when there is none yet. */
export function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** Writes a file that a command keeps; it is durable when this returns. With `replace: false` one that is there already stays. */
export async function saveFile(path: string, content: Uint8Array | string, options?: DurableFileOptions): Promise<void> {
  await writeDurableFile(path, content, options).catch((cause: unknown) => {
    if (options?.replace === false && cause instanceof Error && "code" in cause && cause.code === "EEXIST") return;
    throw new CommandError(
      `writing ${path}: ${systemReason(cause) ?? errorLine(cause)}; make room, or name a place that this user can write`,
      { cause },
    );
  });
}
