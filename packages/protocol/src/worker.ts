import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { architectureSchema, lineSchema, textSchema, timeSchema } from "./names.ts";
import { operatorIdSchema } from "./operator.ts";
import { connectionsEndSchema } from "./operator-view.ts";

/** A NATS user key, public: it stands for one worker. */
export const workerKeySchema = z.string().regex(/^U[A-Z2-7]{55}$/, "must be a public NATS user key");

/** What a worker can build, and what it builds with. */
export const capabilitiesSchema = z.strictObject({
  architectures: z.array(architectureSchema).min(1).max(20),
  cores: z.int().min(1).max(4096),
  memoryMib: z
    .int()
    .min(1)
    .max(2 ** 30),
  diskMib: z
    .int()
    .min(1)
    .max(2 ** 40),
  tags: z.array(z.string().regex(/^[a-z0-9][a-z0-9.-]{0,39}$/, "must be a word of a-z, 0-9, - and .")).max(20),
});
export type Capabilities = z.infer<typeof capabilitiesSchema>;

const said = {
  operator: operatorIdSchema,
  worker: workerKeySchema,
  /** SHA-256 of the network key: what is said to one network is nothing to another. */
  network: sha256Schema,
  saidAt: timeSchema,
};

/**
 * What an operator says of one of its workers (docs/joining.md), signed with its identity key and never logged. Replaying it gains nobody
 * anything: the credentials that it gets are for the holder of the worker's key.
 */
export const workerStatementSchema = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("register"), ...said, name: lineSchema(80), capabilities: capabilitiesSchema }),
  /** The worker's credentials end, and are never renewed. */
  z.strictObject({ action: z.literal("dismiss"), ...said }),
]);
export type WorkerStatement = z.infer<typeof workerStatementSchema>;

/** `POST /v1/workers`: the signed statement. */
export const workerRequestSchema = z.strictObject({ envelope: textSchema(20_000) });

/** `POST /v1/workers` answers a registration with what the worker needs to take jobs. */
export const workerCredentialsSchema = z.strictObject({
  operator: operatorIdSchema,
  /** To be tried in this order. */
  natsUrls: z.array(z.string().max(300)).min(1).max(10),
  /** A user JWT for the worker's key. */
  natsJwt: z.string(),
  natsJwtExpiresAt: z.iso.datetime(),
});
export type WorkerCredentials = z.infer<typeof workerCredentialsSchema>;

/** `POST /v1/workers` answers a dismissal with what becomes of the worker's connection. */
export const workerDismissedSchema = z.strictObject({
  worker: workerKeySchema,
  state: z.literal("dismissed"),
  connectionsEnd: connectionsEndSchema,
});
export type WorkerDismissed = z.infer<typeof workerDismissedSchema>;

/** A worker as the API shows it: what it can do, nothing of where it is. */
export const workerViewSchema = z.strictObject({
  worker: workerKeySchema,
  operator: operatorIdSchema,
  name: z.string(),
  capabilities: capabilitiesSchema,
  registeredAt: z.iso.datetime(),
  renewedAt: z.iso.datetime(),
  state: z.enum(["registered", "expired", "dismissed"]),
});
export type WorkerView = z.infer<typeof workerViewSchema>;

/** What a worker writes into its data directory (`status.json`), for whoever asks on its machine. */
export const workerStatusSchema = z.strictObject({
  pid: z.int().positive(),
  operator: operatorIdSchema,
  worker: workerKeySchema,
  state: z.enum(["starting", "waiting to be admitted", "connecting", "idle", "working", "paused", "stopping"]),
  since: z.iso.datetime(),
  /** What it works on, and what it does there. */
  job: z.string().optional(),
  activity: z.string().optional(),
  jobsCommitted: z.int().min(0),
  /** Results that the network has not asked for yet: this worker alone can reveal them. */
  unrevealed: z.int().min(0),
});
export type WorkerStatus = z.infer<typeof workerStatusSchema>;
