import type { Api } from "@quorate/client/api";
import { CommandError } from "./command-error.ts";
import { defaultDataDirectory, layoutOf } from "./up/layout.ts";
import type { Environment } from "./environment.ts";

export type ConnectionOptions = { url?: string | undefined; data?: string | undefined };

export type Connection = { url: string; token: string | undefined };

/** The network that `--url` or QUORATE_URL names, else the one that runs on this host from the data directory. */
export async function findConnection(options: ConnectionOptions, env: Environment): Promise<Connection | undefined> {
  const url = options.url ?? env["QUORATE_URL"];
  if (url !== undefined && url !== "") return { url: parseNetworkUrl(url), token: env["QUORATE_TOKEN"] };
  const { findRunning } = await import("./up/running.ts");
  const running = await findRunning(layoutOf(dataDirectoryOf(options, env)));
  return running && { url: running.url, token: env["QUORATE_TOKEN"] ?? running.token };
}

/** @throws CommandError when no network is known */
export async function requireConnection(options: ConnectionOptions, env: Environment): Promise<Connection> {
  const connection = await findConnection(options, env);
  if (connection) return connection;
  throw new CommandError(
    `finding a network: QUORATE_URL is not set, and none runs here from ${dataDirectoryOf(options, env)}; start one with \`quorate up\`, or give --url`,
  );
}

export async function connect(options: ConnectionOptions, env: Environment): Promise<Api> {
  const [{ createApi }, connection] = await Promise.all([import("@quorate/client/api"), requireConnection(options, env)]);
  return createApi(connection);
}

/** As `connect`, with a project's token. @throws CommandError when there is none */
export async function connectWithToken(doing: string, options: ConnectionOptions, env: Environment): Promise<Api> {
  const [{ createApi }, connection] = await Promise.all([import("@quorate/client/api"), requireConnectionWithToken(doing, options, env)]);
  return createApi(connection);
}

/** @throws CommandError when no network is known, or no project's token */
export async function requireConnectionWithToken(doing: string, options: ConnectionOptions, env: Environment): Promise<Connection> {
  const connection = await requireConnection(options, env);
  if (connection.token !== undefined) return connection;
  throw new CommandError(`${doing} at ${connection.url}: no API token; set QUORATE_TOKEN to your project's token`);
}

export function dataDirectoryOf({ data }: ConnectionOptions, env: Environment): string {
  return data ?? (env["QUORATE_DATA"] || defaultDataDirectory(env));
}

/** @throws CommandError when it is no http or https URL */
export function parseNetworkUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new CommandError(`finding a network: ${JSON.stringify(text)} is no http or https URL`);
  }
  return text.replace(/\/+$/, "");
}
