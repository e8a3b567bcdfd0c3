import { hostSchema, parseConfig, pathSchema, portSchema, tokenSchema, wholeNumber } from "@quorate/service/config";
import type { Environment } from "@quorate/service/config";
import { z } from "zod";

const schema = z.object({
  FLEET_DATA_DIR: pathSchema.describe("directory of each host's newest report and history"),
  FLEET_HOSTS_FILE: pathSchema.describe(
    "file with one line `host <name> <public key>` for each host, as `quorate watch --fleet` prints it",
  ),
  FLEET_TOKEN: tokenSchema.describe("opens what the hosts run: to administrators, as a password with any user name"),
  FLEET_HOST: hostSchema.default("127.0.0.1").describe("address to listen on"),
  FLEET_PORT: portSchema.describe("port to listen on, 0 for a free one"),
  // Hosts report every minute.
  FLEET_SILENCE_SECONDS: wholeNumber(1, 86_400).prefault("180").describe("a host that has not reported for so long has failed, in seconds"),
});

export type FleetConfig = {
  readonly dataDirectory: string;
  readonly hostsFile: string;
  readonly token: string;
  readonly host: string;
  readonly port: number;
  readonly silenceSeconds: number;
};

/** @throws ConfigError */
export function loadFleetConfig(env: Environment): FleetConfig {
  const parsed = parseConfig(schema, env);
  return {
    dataDirectory: parsed.FLEET_DATA_DIR,
    hostsFile: parsed.FLEET_HOSTS_FILE,
    token: parsed.FLEET_TOKEN,
    host: parsed.FLEET_HOST,
    port: parsed.FLEET_PORT,
    silenceSeconds: parsed.FLEET_SILENCE_SECONDS,
  };
}
