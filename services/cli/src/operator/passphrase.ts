import { readFile } from "node:fs/promises";
import { CommandError } from "../command-error.ts";
import type { Environment } from "../environment.ts";
import type { OperatorOptions } from "./operator-location.ts";

/** The file that the passphrase of the operator's keys is in: `--passphrase-file` or QUORATE_PASSPHRASE_FILE; none for keys without one. */
export function passphraseFileOf({ passphraseFile }: OperatorOptions, env: Environment): string | undefined {
  return passphraseFile ?? (env["QUORATE_PASSPHRASE_FILE"] || undefined);
}

/** Its first line. @throws CommandError when it cannot be read or is too short */
export async function loadPassphrase(options: OperatorOptions, env: Environment): Promise<string | undefined> {
  const path = passphraseFileOf(options, env);
  if (path === undefined) return undefined;
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CommandError(`reading the passphrase file ${path} failed`, { cause });
  });
  const [passphrase = ""] = text.split("\n");
  if (passphrase.length >= 12) return passphrase;
  throw new CommandError(`reading the passphrase file ${path}: its first line has ${passphrase.length} characters; use 12 or more`);
}
