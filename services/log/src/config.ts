import { readFile } from "node:fs/promises";
import { hostSchema, parseConfig, pathSchema, portSchema, tokenSchema, wholeNumber } from "@quorate/service/config";
import type { Environment } from "@quorate/service/config";
import { loadNoteKey } from "@quorate/signing/note-key";
import type { NoteSigner } from "@quorate/tlog/note";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { z } from "zod";

export type LogConfig = {
  readonly dataDirectory: string;
  readonly signer: NoteSigner;
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** Whose cosignatures a checkpoint needs before it is served, and where the witnesses are. */
  readonly policy: WitnessPolicy;
  readonly batchMilliseconds: number;
  /** How long a witness may take to answer. */
  readonly witnessMilliseconds: number;
  /** The UTC day (`2026-11-23`) on which this log may be created; on any other day a missing log is refused. */
  readonly inceptionDate?: string | undefined;
};

const schema = z.object({
  LOG_DATA_DIR: pathSchema.describe("directory of the log's tiles, journal and lock store"),
  LOG_KEY_FILE: pathSchema.describe("file with the Ed25519 note key that signs checkpoints"),
  LOG_HOST: hostSchema.default("127.0.0.1").describe("address to listen on"),
  LOG_PORT: portSchema.describe("port to listen on, 0 for a free one"),
  LOG_TOKEN: tokenSchema.describe("bearer token of those who may append"),
  LOG_POLICY_FILE: pathSchema.describe("tlog-policy file with this log, its witnesses, their URLs and the quorum"),
  // Public witnesses are asked to sign ten times a second at most while entries keep coming; an idle log publishes at once.
  LOG_BATCH_MILLISECONDS: wholeNumber(0, 60_000).default(100).describe("least time between two checkpoints under load, in milliseconds"),
  // A witness on another continent needs well under a second; one that hangs delays what is below the quorum by this much.
  LOG_WITNESS_MILLISECONDS: wholeNumber(1, 600_000).default(5_000).describe("how long a witness may take to answer, in milliseconds"),
  LOG_INCEPTION_DATE: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, "must be a date such as 2026-11-23")
    .optional()
    .describe("UTC day on which the log may be created"),
});

/** @throws ConfigError, or ParseError for a key or policy file that is not one */
export async function loadLogConfig(env: Environment): Promise<LogConfig> {
  const parsed = parseConfig(schema, env);
  return {
    dataDirectory: parsed.LOG_DATA_DIR,
    signer: loadNoteKey(parsed.LOG_KEY_FILE),
    host: parsed.LOG_HOST,
    port: parsed.LOG_PORT,
    token: parsed.LOG_TOKEN,
    policy: parseTlogPolicy(await readFile(parsed.LOG_POLICY_FILE, "utf8")),
    batchMilliseconds: parsed.LOG_BATCH_MILLISECONDS,
    witnessMilliseconds: parsed.LOG_WITNESS_MILLISECONDS,
    inceptionDate: parsed.LOG_INCEPTION_DATE,
  };
}
