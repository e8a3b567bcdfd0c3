import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatServerConfig, type ServerConfig } from "./server-config.ts";

/**
 * Makes the directory that a nats-server starts from, with its configuration. Idempotent; to be called before each start.
 *
 * A server enables JetStream before the first client comes for accounts that have a directory which is not empty, and for others when their
 * first client comes. If two come at once, nats-server 2.9 may end up without JetStream for good and answer every request with 503; so the
 * network's account has a file from the beginning.
 *
 * @returns the path of the configuration
 */
export async function createServerDirectory(config: ServerConfig): Promise<string> {
  const { authority, directory } = config;
  const accountDirectory = join(directory, "jetstream", "jetstream", authority.account.publicKey);
  await mkdir(accountDirectory, { recursive: true, mode: 0o700 });
  await writeFile(join(accountDirectory, "account.jwt"), authority.account.jwt, { mode: 0o600 });
  const configFile = join(directory, "nats-server.conf");
  await writeFile(configFile, formatServerConfig(config), { mode: 0o600 });
  return configFile;
}
