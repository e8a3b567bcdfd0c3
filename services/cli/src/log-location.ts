import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError } from "./command-error.ts";
import { type ConnectionOptions, dataDirectoryOf, findConnection } from "./connection.ts";
import type { CommandContext } from "./context.ts";
import { layoutOf } from "./up/layout.ts";

/** `--log URL|DIR` as a URL: a directory that holds `checkpoint` and `tile/` is a log too. */
export function logUrlOf(location: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) return pathToFileURL(resolve(location)).href;
  if (URL.canParse(location) && /^(?:https?|file):$/.test(new URL(location).protocol)) return location.replace(/\/+$/, "");
  throw new CommandError(`finding the log: ${JSON.stringify(location)} is no http, https or file URL; give one, or a directory`);
}

/**
 * The log that `--log` names, else the policy, else the network that is known, else the one whose data directory is here though it is
 * stopped: its log's files are all that a reader needs.
 */
export async function locateLog(
  options: ConnectionOptions & { log?: string | undefined },
  policyUrl: string | undefined,
  { env, signal }: CommandContext,
): Promise<string> {
  if (options.log !== undefined) return logUrlOf(options.log);
  if (policyUrl !== undefined) return policyUrl;
  const connection = await findConnection(options, env);
  if (connection !== undefined) {
    const { createApi } = await import("@quorate/client/api");
    return (await createApi(connection).network({ signal })).logUrl;
  }
  const directory = join(layoutOf(dataDirectoryOf(options, env)).directory("log"), "public");
  if (await isDirectory(directory)) return pathToFileURL(directory).href;
  throw new CommandError(
    `finding the log: no network runs from ${dataDirectoryOf(options, env)}, and no log is kept there; give --log URL or DIRECTORY, or set QUORATE_URL`,
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
