import { readFile } from "node:fs/promises";
import {
  type Environment,
  hostSchema,
  httpUrlSchema,
  networksSchema,
  parseConfig,
  pathSchema,
  portSchema,
  wholeNumber,
} from "@quorate/service/config";
import { type TrustPolicy, parseTrustPolicy } from "@quorate/verdict/trust-policy";
import { z } from "zod";

export type SiteConfig = {
  readonly dataDirectory: string;
  readonly host: string;
  readonly port: number;
  /** Where readers find the site; undefined for wherever they ask. */
  readonly publicUrl: string | undefined;
  /** Whose `X-Forwarded-…` headers say who asks. */
  readonly trustedProxies: readonly string[];
  /** Of one address. */
  readonly requestsAMinute: number;
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
  SITE_PUBLIC_URL: httpUrlSchema
    .optional()
    .describe(
      "the site as everyone reads it, in the addresses in feeds; default: as each request names it, and shared caches keep no feed then",
    ),
  SITE_TRUSTED_PROXIES: networksSchema
    .default(["127.0.0.1/8", "::1/128"])
    .describe(
      "addresses or networks (CIDR) of the proxies in front, whose X-Forwarded-For is believed, with commas between; default this host's own",
    ),
  SITE_REQUESTS_A_MINUTE: wholeNumber(1, 1_000_000)
    .default(1200)
    .describe("requests that one address may send in a minute; a page takes about ten, and many people may have one address"),
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
    publicUrl: parsed.SITE_PUBLIC_URL,
    trustedProxies: parsed.SITE_TRUSTED_PROXIES,
    requestsAMinute: parsed.SITE_REQUESTS_A_MINUTE,
    coordinatorUrl: parsed.COORDINATOR_URL,
    logUrl: parsed.LOG_URL,
    policy: parseTrustPolicy(policyText),
    policyText,
  };
}
