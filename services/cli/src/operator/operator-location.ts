import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../environment.ts";

export type OperatorOptions = { operator?: string | undefined; passphraseFile?: string | undefined };

/** The directory of the operator's keys: `--operator`, or QUORATE_OPERATOR, or `~/.local/share/quorate-operator`. */
export function operatorDirectoryOf({ operator }: OperatorOptions, env: Environment): string {
  return operator ?? (env["QUORATE_OPERATOR"] || join(shareDirectory(env), "quorate-operator"));
}

/** The directory of this machine's worker: `--data`, or QUORATE_WORKER, or `~/.local/share/quorate-worker`. */
export function workerDirectoryOf({ data }: { data?: string | undefined }, env: Environment): string {
  return data ?? (env["QUORATE_WORKER"] || join(shareDirectory(env), "quorate-worker"));
}

function shareDirectory(env: Environment): string {
  return env["XDG_DATA_HOME"] || join(homedir(), ".local/share");
}
