import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { lineSchema, textSchema } from "./names.ts";
import { operatorIdSchema } from "./operator.ts";

/** One operator's part in a round: `<first 32 digits of the round>-<operator>`. */
export const jobIdSchema = z.string().regex(/^[0-9a-f]{32}-[0-9a-f]{32}$/);

export const jobIdOf = (round: string, operator: string): string => `${round.slice(0, 32)}-${operator}`;

/** On `job.<operator>.<arch>`: ids only; the worker fetches the target and the round from the API. */
export const jobMessageSchema = z.strictObject({
  job: jobIdSchema,
  round: sha256Schema,
  target: sha256Schema,
  /** The fence of a delivery is this plus the number of earlier deliveries of the message. */
  baseFence: z.int().min(1),
  /** Bearer token that lets the worker upload this job's blobs. */
  uploadTicket: textSchema(500),
  commitBy: z.iso.datetime(),
});
export type JobMessage = z.infer<typeof jobMessageSchema>;

/** The steps of a job that people see, in order. */
export const jobPhases = ["queued", "fetching", "environment", "building", "attesting", "committed", "revealed"] as const;
export type JobPhase = (typeof jobPhases)[number];

/** Largest envelope that a worker reports, in bytes: the bus takes messages of 1 MB, and JSON within JSON needs some more. */
export const maxReportedEnvelopeBytes = 900_000;

const reported = { job: jobIdSchema, round: sha256Schema, operator: operatorIdSchema, fence: z.int().min(1) };

/** On `report.<operator>.<job>`. An envelope is the canonical JSON text of a DSSE envelope. Only signatures inside envelopes carry authority. */
export const reportMessageSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("started"), ...reported }),
  z.strictObject({ kind: z.literal("commitment"), ...reported, envelope: textSchema(100_000) }),
  z.strictObject({ kind: z.literal("result"), ...reported, envelope: textSchema(maxReportedEnvelopeBytes) }),
  z.strictObject({ kind: z.literal("declined"), ...reported, reason: lineSchema(400) }),
]);
export type ReportMessage = z.infer<typeof reportMessageSchema>;

/** On `control.<operator>`. */
export const controlMessageSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("reveal"), job: jobIdSchema, round: sha256Schema }),
  z.strictObject({ kind: z.literal("cancel"), job: jobIdSchema, round: sha256Schema }),
]);
export type ControlMessage = z.infer<typeof controlMessageSchema>;

/** On `live.<operator>.<job>`: progress and log lines, not kept. */
export const liveMessageSchema = z.strictObject({
  job: jobIdSchema,
  round: sha256Schema,
  operator: operatorIdSchema,
  phase: z.enum(jobPhases),
  /** One line for people: what is being done. */
  activity: lineSchema(300).optional(),
  logLines: z.array(textSchema(2000)).max(500).optional(),
});
export type LiveMessage = z.infer<typeof liveMessageSchema>;
