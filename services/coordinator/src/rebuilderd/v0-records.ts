import { z } from "zod";

/** rebuilderd's HTTP API, version 0, as rebuildctl 0.23 and debian-repro-status read it. What it calls a suite is a component. */
const naiveTimeSchema = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?$/);
const origin = { distro: z.string(), suite: z.string(), architecture: z.string() };

export const packageReleaseSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  status: z.enum(["GOOD", "BAD", "UNKWN"]),
  ...origin,
  artifact_url: z.url(),
  build_id: z.int32().nullable(),
  built_at: naiveTimeSchema.nullable(),
  has_diffoscope: z.boolean(),
  has_attestation: z.boolean(),
});
export type PackageRelease = z.infer<typeof packageReleaseSchema>;

export const queueItemSchema = z.strictObject({
  id: z.int32(),
  pkgbase: z.strictObject({
    name: z.string(),
    version: z.string(),
    ...origin,
    input_url: z.url(),
    artifacts: z.array(z.never()),
  }),
  version: z.string(),
  queued_at: naiveTimeSchema,
  worker_id: z.null(),
  started_at: naiveTimeSchema.nullable(),
  last_ping: naiveTimeSchema.nullable(),
});
export type QueueItem = z.infer<typeof queueItemSchema>;

export const queueListSchema = z.strictObject({ now: naiveTimeSchema, queue: z.array(queueItemSchema) });

export const dashboardV0Schema = z.strictObject({
  suites: z.record(z.string(), z.strictObject({ good: z.int(), unknown: z.int(), bad: z.int() })),
  active_builds: z.array(queueItemSchema),
  queue_length: z.int(),
  now: naiveTimeSchema,
});
