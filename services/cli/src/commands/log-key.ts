import { existsSync } from "node:fs";
import { ParseError } from "@quorate/protocol/parse-error";
import { createNoteKey, loadNoteKey } from "@quorate/signing/note-key";
import { formatVkey, type NoteAlgorithm, type NoteSigner } from "@quorate/tlog/note";
import { CommandError, type ExitCode, exitCodes } from "../command-error.ts";
import type { CommandContext } from "../context.ts";

/** What a note key is for, as `--for` says it, and the algorithm that it has therefore. */
export const noteKeyUses = { log: "ed25519", witness: "cosignature", "second-signature": "ml-dsa-44" } as const;

export type LogKeyOptions = { name?: string | undefined; for?: keyof typeof noteKeyUses | undefined; json?: boolean | undefined };

/** `quorate log key FILE`: the verifier key of a log's or a witness's private key; the private key is made if there is none. */
export function runLogKey(file: string, options: LogKeyOptions, { terminal }: CommandContext): ExitCode {
  const algorithm = options.for === undefined ? undefined : noteKeyUses[options.for];
  const { key } = existsSync(file) ? loadNoteKey(file) : createKey(file, options.name, algorithm ?? noteKeyUses.log);
  if (options.name !== undefined && options.name !== key.name)
    throw new CommandError(`reading the note key ${file}: it is there already, and its name is ${key.name}; name another file`);
  if (algorithm !== undefined && algorithm !== key.algorithm)
    throw new CommandError(`reading the note key ${file}: it is there already, and of type ${key.algorithm}; name another file`);
  const vkey = formatVkey(key);
  if (options.json) terminal.printJson({ name: key.name, algorithm: key.algorithm, vkey });
  else terminal.print(vkey);
  return exitCodes.ok;
}

function createKey(file: string, name: string | undefined, algorithm: NoteAlgorithm): NoteSigner {
  if (name === undefined)
    throw new CommandError(
      `reading the note key ${file}: there is no such file; to make a key, give its name, as in --name log.example.org/quorate`,
    );
  try {
    return createNoteKey(file, name, algorithm);
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause;
    throw new CommandError(`making a note key: "${name}" cannot be its name, which has neither spaces nor plus signs`, { cause });
  }
}
