import { type Api, createApi } from "@quorate/client/api";
import { CommandError } from "./command-error.ts";
import { type ConnectionOptions, dataDirectoryOf, requireConnection } from "./connection.ts";
import type { CommandContext } from "./context.ts";
import { layoutOf } from "./up/layout.ts";
import { loadSettings } from "./up/settings.ts";

/**
 * With QUORATE_ADMIN_TOKEN, else the token of the network that runs on this host.
 * @param doing for the error when there is neither: `deciding on operators`
 */
export async function connectAsAdmin(doing: string, options: ConnectionOptions, { env }: CommandContext): Promise<Api> {
  const { url } = await requireConnection(options, env);
  const token = env["QUORATE_ADMIN_TOKEN"] ?? (await loadSettings(layoutOf(dataDirectoryOf(options, env)).settings))?.tokens.admin;
  if (token !== undefined) return createApi({ url, token });
  throw new CommandError(`${doing} of ${url}: no token; set QUORATE_ADMIN_TOKEN to the coordinator's ADMIN_TOKEN`);
}
