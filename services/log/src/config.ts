import { readFile } from "node:fs/promises";
import {
  ConfigError,
  hostSchema,
  httpUrlSchema,
  parseConfig,
  pathSchema,
  portSchema,
  tokenSchema,
  wholeNumber,
} from "@quorate/service/config";
import type { Environment } from "@quorate/service/config";
import { loadNoteKey } from "@quorate/signing/note-key";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { z } from "zod";
import type { S3Settings } from "./s3-bucket.ts";
import type { LogSigners } from "./signed-checkpoint.ts";

export type LogConfig = LogSigners & {
  readonly stores: DirectoryStores | ClusterStores;
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

/** Everything in one directory of this machine. */
export type DirectoryStores = { readonly kind: "directory"; readonly path: string };

/** Tiles and staged batches in a bucket, the lock store in PostgreSQL: for processes on several machines, of which one has the lease. */
export type ClusterStores = { readonly kind: "cluster"; readonly databaseUrl: string; readonly s3: S3Settings };

const schema = z.object({
  LOG_DATA_DIR: pathSchema
    .optional()
    .describe("directory of the log's tiles, journal and lock store; or set LOG_DATABASE_URL and LOG_S3_…"),
  LOG_DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must be a URL such as postgres://user@host/database")
    .optional()
    .describe("PostgreSQL database of the lock store, this log's alone"),
  LOG_S3_URL: httpUrlSchema
    .optional()
    .describe("S3-compatible store of the log's tiles and staged batches, such as https://s3.example.org"),
  LOG_S3_BUCKET: z.string().min(1).optional().describe("bucket of the log's tiles, this log's alone"),
  LOG_S3_REGION: z.string().min(1).default("us-east-1").describe("region that requests are signed for"),
  LOG_S3_ACCESS_KEY_ID: z.string().min(1).optional().describe("access key; without it the sources of the AWS SDK are asked"),
  LOG_S3_SECRET_ACCESS_KEY: z.string().min(1).optional().describe("the access key's secret"),
  LOG_KEY_FILE: pathSchema.describe("file with the Ed25519 note key that signs checkpoints"),
  LOG_ML_DSA_KEY_FILE: pathSchema
    .optional()
    .describe("file with an ML-DSA-44 note key of the same name, which signs checkpoints a second time; none by default"),
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
    stores: storesOf(parsed),
    ...signersOf(parsed),
    host: parsed.LOG_HOST,
    port: parsed.LOG_PORT,
    token: parsed.LOG_TOKEN,
    policy: parseTlogPolicy(await readFile(parsed.LOG_POLICY_FILE, "utf8")),
    batchMilliseconds: parsed.LOG_BATCH_MILLISECONDS,
    witnessMilliseconds: parsed.LOG_WITNESS_MILLISECONDS,
    inceptionDate: parsed.LOG_INCEPTION_DATE,
  };
}

function signersOf({ LOG_KEY_FILE: path, LOG_ML_DSA_KEY_FILE: mlDsaPath }: z.output<typeof schema>): LogSigners {
  const signer = loadNoteKey(path);
  if (signer.key.algorithm !== "ed25519") throw new ConfigError(`LOG_KEY_FILE must name an Ed25519 log key; ${path} has another type`);
  if (mlDsaPath === undefined) return { signer };
  const mlDsaSigner = loadNoteKey(mlDsaPath);
  if (mlDsaSigner.key.algorithm !== "ml-dsa-44" || mlDsaSigner.key.name !== signer.key.name) {
    throw new ConfigError(
      `LOG_ML_DSA_KEY_FILE must name an ML-DSA-44 key of the log's name ${signer.key.name}; ` +
        `${mlDsaPath} has an ${mlDsaSigner.key.algorithm} key of ${mlDsaSigner.key.name}`,
    );
  }
  return { signer, mlDsaSigner };
}

function storesOf(parsed: z.output<typeof schema>): LogConfig["stores"] {
  const { LOG_DATA_DIR: path, LOG_DATABASE_URL: databaseUrl, LOG_S3_URL: url, LOG_S3_BUCKET: bucket } = parsed;
  const cluster = [databaseUrl, url, bucket];
  if (path !== undefined && cluster.every((value) => value === undefined)) return { kind: "directory", path };
  if (path !== undefined || databaseUrl === undefined || url === undefined || bucket === undefined) {
    throw new ConfigError(
      "reading the configuration from the environment: set either LOG_DATA_DIR, or all of LOG_DATABASE_URL, LOG_S3_URL and LOG_S3_BUCKET",
    );
  }
  return { kind: "cluster", databaseUrl, s3: { url, bucket, region: parsed.LOG_S3_REGION, credentials: credentialsOf(parsed) } };
}

function credentialsOf({ LOG_S3_ACCESS_KEY_ID: accessKeyId, LOG_S3_SECRET_ACCESS_KEY: secretAccessKey }: z.output<typeof schema>) {
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  throw new ConfigError(
    "reading the configuration from the environment: set both LOG_S3_ACCESS_KEY_ID and LOG_S3_SECRET_ACCESS_KEY, or none",
  );
}
