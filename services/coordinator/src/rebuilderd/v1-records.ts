import { z } from "zod";

/** rebuilderd's HTTP API, version 1, as rebuildctl 0.28 and repro-threshold 0.1 read it. Its clients keep ids in 32 signed bits. */
const idSchema = z.int32().min(0);
const naiveTimeSchema = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?$/);
const artifactStatusSchema = z.enum(["GOOD", "BAD", "UNKWN"]);
const buildStatusSchema = z.enum(["GOOD", "BAD", "FAIL", "UNKWN"]);

const packageSchema = {
  id: idSchema,
  name: z.string(),
  version: z.string(),
  distribution: z.string(),
  release: z.string().nullable(),
};

export const binaryPackageSchema = z.strictObject({
  ...packageSchema,
  component: z.string().nullable(),
  architecture: z.string(),
  url: z.url(),
  status: artifactStatusSchema,
  build_id: idSchema.nullable(),
  /** Null where there is no attestation: repro-threshold asks for one wherever both ids are set, and gives up on a 404. */
  artifact_id: idSchema.nullable(),
  diffoscope_log_id: z.null(),
  attestation_log_id: idSchema.nullable(),
  last_seen: naiveTimeSchema,
  seen_in_last_sync: z.boolean(),
});
export type BinaryPackage = z.infer<typeof binaryPackageSchema>;

export const sourcePackageSchema = z.strictObject({
  ...packageSchema,
  component: z.string().nullable(),
  status: buildStatusSchema,
  build_id: idSchema.nullable(),
  last_seen: naiveTimeSchema,
  seen_in_last_sync: z.boolean(),
});
export type SourcePackage = z.infer<typeof sourcePackageSchema>;

export const buildSchema = z.strictObject({
  ...packageSchema,
  architecture: z.string(),
  backend: z.string(),
  retries: z.int32(),
  started_at: naiveTimeSchema,
  built_at: naiveTimeSchema,
  status: buildStatusSchema,
});
export type Build = z.infer<typeof buildSchema>;

export const artifactSchema = z.strictObject({
  id: idSchema,
  name: z.string(),
  has_diffoscope: z.boolean(),
  has_attestation: z.boolean(),
  status: artifactStatusSchema,
});
export type Artifact = z.infer<typeof artifactSchema>;

export const queuedJobSchema = z.strictObject({
  ...packageSchema,
  architecture: z.string(),
  backend: z.string(),
  url: z.url(),
  next_retry: naiveTimeSchema,
  priority: z.int32(),
  queued_at: naiveTimeSchema,
  started_at: naiveTimeSchema.nullable(),
});
export type QueuedJob = z.infer<typeof queuedJobSchema>;

/** Both versions of the API in one record: rebuildctl 0.23 reads `key`, `addr` and `online`. Addresses are never told. */
export const workerSchema = z.strictObject({
  id: idSchema,
  name: z.string(),
  address: z.literal(""),
  status: z.string().nullable(),
  last_ping: naiveTimeSchema,
  is_online: z.boolean(),
  key: z.string(),
  addr: z.literal(""),
  online: z.boolean(),
});
export type Worker = z.infer<typeof workerSchema>;

const countSchema = z.int().min(0);

export const dashboardSchema = z.strictObject({
  rebuilds: z.strictObject({ good: countSchema, bad: countSchema, fail: countSchema, unknown: countSchema }),
  jobs: z.strictObject({ running: countSchema, available: countSchema, pending: countSchema }),
});
export type Dashboard = z.infer<typeof dashboardSchema>;

/** PEM texts. */
export const publicKeysSchema = z.strictObject({ current: z.array(z.string()) });

export const pageSchemaOf = <Item extends z.ZodType>(record: Item) => z.strictObject({ total: countSchema, records: z.array(record) });
