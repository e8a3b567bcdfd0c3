import { loadPassphraseFile } from "@quorate/signing/passphrase-file";
import type { Environment } from "../environment.ts";
import type { OperatorOptions } from "./operator-location.ts";

/** The file that the passphrase of the operator's keys is in: `--passphrase-file` or QUORATE_PASSPHRASE_FILE; none for keys without one. */
export function passphraseFileOf({ passphraseFile }: OperatorOptions, env: Environment): string | undefined {
  return passphraseFile ?? (env["QUORATE_PASSPHRASE_FILE"] || undefined);
}

/** @throws Error when it cannot be read or is too short */
export async function loadPassphrase(options: OperatorOptions, env: Environment): Promise<string | undefined> {
  const path = passphraseFileOf(options, env);
  return path === undefined ? undefined : loadPassphraseFile(path);
}
