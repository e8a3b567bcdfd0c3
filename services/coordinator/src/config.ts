import {
  ConfigError,
  hostSchema,
  httpUrlSchema,
  networksSchema,
  parseConfig,
  pathSchema,
  portSchema,
  tokenSchema,
  wholeNumber,
} from "@quorate/service/config";
import type { Environment } from "@quorate/service/config";
import { z } from "zod";

const natsUrlsSchema = z
  .string()
  .transform((text) => text.split(","))
  .refine(
    (urls) => urls.every((url) => /^(?:nats|tls|ws|wss):\/\/[^\s/]+(?:\/\S*)?$/.test(url)),
    "must be nats, tls, ws or wss URLs with commas between",
  );

const environmentSchema = z.object({
  DATABASE_URL: z.string().min(1).describe("PostgreSQL, such as postgres://user@host/database"),
  REDIS_URL: z
    .string()
    .regex(/^(?:rediss?:\/\/|\/)/, "must be redis://… or the path of a Unix socket")
    .describe("where round steps are queued"),
  NATS_URL: z.string().min(1).describe("the NATS server, such as nats://127.0.0.1:4222"),
  NATS_PUBLIC_URL: natsUrlsSchema
    .optional()
    .describe(
      "the NATS server as workers reach it, in the order that they try, such as tls://nats.example:4222,wss://nats.example; default NATS_URL",
    ),
  NATS_AUTHORITY_FILE: pathSchema.describe("file with the keys that NATS credentials are made with"),
  LOG_URL: httpUrlSchema.describe("the log service"),
  LOG_PUBLIC_URL: httpUrlSchema.optional().describe("the log as everyone reads it; default LOG_URL"),
  LOG_KEY: z.string().min(1).describe("the log's verifier key (vkey)"),
  LOG_TOKEN: tokenSchema.describe("lets the coordinator append to the log"),
  NETWORK_KEY_FILE: pathSchema.describe("P-256 key that signs policies, admissions, rounds and verdicts"),
  WITNESS_POLICY_FILE: pathSchema.describe("tlog-policy text: the log, its witnesses and their quorum"),
  COORDINATOR_DATA_DIR: pathSchema.describe("directory for blobs and the archive cache"),
  COORDINATOR_HOST: hostSchema.default("127.0.0.1").describe("address to listen on"),
  COORDINATOR_PORT: portSchema.default(8080).describe("port to listen on, 0 for any"),
  COORDINATOR_TRUSTED_PROXIES: networksSchema
    .default(["127.0.0.1/8", "::1/128"])
    .describe(
      "addresses or networks (CIDR) of the proxies in front, whose X-Forwarded-For is believed, and of the site, with commas between; default this host's own",
    ),
  COORDINATOR_REQUESTS_A_MINUTE: wholeNumber(1, 1_000_000)
    .default(1200)
    .describe("requests for anything but blobs that one address, or one API token, may send in a minute"),
  ARCHIVES_FILE: pathSchema.describe("JSON: the archives that targets come from"),
  API_TOKEN: tokenSchema.describe("API token of the project `first`, for all that a project may do; others are made with POST /v1/tokens"),
  PROJECT_TARGETS_A_DAY: wholeNumber(1, 10_000_000)
    .default(20_000)
    .describe("targets that one project may submit in 24 hours; an architecture of a whole distribution is some 40,000"),
  WEBHOOK_ADDRESSES: z
    .enum(["public", "any"])
    .default("public")
    .describe(
      "where webhooks may be sent: public, over https to the public network; any, also over http and into the network that this is in",
    ),
  INVITATION_TOKEN: tokenSchema.optional().describe("invitation code: admits an operator at once"),
  ADMIN_TOKEN: tokenSchema
    .optional()
    .describe("lets whoever runs the network admit and revoke operators and give projects tokens, and opens the console"),
  CONSOLE_PORT: portSchema
    .optional()
    .describe("port of the console of whoever runs the network, which needs ADMIN_TOKEN; default: there is none"),
  CONSOLE_HOST: hostSchema.default("127.0.0.1").describe("address that the console listens on; put TLS in front of another than loopback"),
  SIGSTORE_TRUSTED_ROOT_FILE: pathSchema
    .optional()
    .describe("trusted_root.json: whose certificates and timestamps keyless operators sign with; default: there are none"),
  POLICY_FILE: pathSchema.optional().describe("JSON: the network's policy; default two of three"),
});

export type CoordinatorConfig = z.output<typeof environmentSchema>;

/** @throws ConfigError that names the variables that are wrong */
export function parseCoordinatorConfig(env: Environment): CoordinatorConfig {
  const config = parseConfig(environmentSchema, env);
  if (config.CONSOLE_PORT !== undefined && config.ADMIN_TOKEN === undefined)
    throw new ConfigError("CONSOLE_PORT is set and ADMIN_TOKEN is not: the console's password is ADMIN_TOKEN");
  return config;
}
