import { readFile } from "node:fs/promises";
import { type Environment, hostSchema, httpUrlSchema, parseConfig, pathSchema, portSchema } from "@quorate/service/config";
import { type TrustPolicy, parseTrustPolicy } from "@quorate/verdict/trust-policy";
import { z } from "zod";

export type SiteConfig = {
  readonly dataDirectory: string;
  readonly host: string;
  readonly port: number;
  readonly coordinatorUrl: string;
  readonly logUrl: string;
  /** Which log and witnesses the site believes, and what it offers to its readers as a first policy. */
  readonly policy: TrustPolicy;
  /** As the file has it. */
  readonly policyText: string;
};

const schema = z.object({
  SITE_DATA_DIR: pathSchema.describe("directory of what the site has read from the log; may be deleted, and is then read again"),
  SITE_HOST: hostSchema.default("127.0.0.1").describe("address to listen on"),
  SITE_PORT: portSchema.default(8421).describe("port to listen on, 0 for a free one"),
  COORDINATOR_URL: httpUrlSchema.describe("the coordinator's API"),
  LOG_URL: httpUrlSchema.describe("the log service"),
  TRUST_POLICY_FILE: pathSchema.describe("a reader's policy: log, witnesses, network key, operators, threshold"),
});

/** @throws ConfigError, or ParseError for a policy file that is not one */
export async function loadSiteConfig(env: Environment): Promise<SiteConfig> {
  const parsed = parseConfig(schema, env);
  const policyText = await readFile(parsed.TRUST_POLICY_FILE, "utf8");
  return {
    dataDirectory: parsed.SITE_DATA_DIR,
    host: parsed.SITE_HOST,
    port: parsed.SITE_PORT,
    coordinatorUrl: parsed.COORDINATOR_URL,
    logUrl: parsed.LOG_URL,
    policy: parseTrustPolicy(policyText),
    policyText,
  };
}
