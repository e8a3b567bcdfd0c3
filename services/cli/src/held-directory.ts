import { mkdir } from "node:fs/promises";
import { lockDirectory } from "@quorate/service/directory-lock";
import { CommandError, errorLine, systemReason } from "./command-error.ts";

/** A directory that a command keeps: made unless it is there, and taken for this process alone. */
export async function holdDirectory(directory: string): Promise<Disposable> {
  await mkdir(directory, { recursive: true }).catch((cause: unknown) => {
    throw new CommandError(
      `making the directory ${directory}: ${systemReason(cause) ?? errorLine(cause)}; give one that this user can write`,
      { cause },
    );
  });
  return lockDirectory(directory);
}
