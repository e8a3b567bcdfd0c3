import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { jobIdSchema, jobPhases } from "./job.ts";
import { architectureSchema, distributionSchema, packageNameSchema, packageVersionSchema, suiteSchema } from "./names.ts";
import { operatorIdSchema } from "./operator.ts";
import { policySchema } from "./policy.ts";
import { problemSchema } from "./problem.ts";
import { verdictSchema } from "./verdict.ts";

/** `POST /v1/submissions`: please rebuild this. Without a version the newest in the suite; without an architecture all that the source builds. */
export const submissionRequestSchema = z.strictObject({
  distribution: distributionSchema,
  suite: suiteSchema,
  source: packageNameSchema,
  version: packageVersionSchema.optional(),
  architecture: architectureSchema.optional(),
});
export type SubmissionRequest = z.infer<typeof submissionRequestSchema>;

/** `POST /v1/submissions/batch`: many at once. */
export const submissionBatchSchema = z.strictObject({ submissions: z.array(submissionRequestSchema).min(1).max(1000) });

/** What came of each, in the order in which they were sent: a submission, which is new if a round was planned for it, or why it was refused. */
export const submissionBatchViewSchema = z.strictObject({
  isDryRun: z.boolean(),
  /** How many of the project's targets of a day it took; a dry run in several batches hands it on as `countedBefore`. */
  counted: z.int(),
  submissions: z.array(
    z.union([
      z.strictObject({ request: submissionRequestSchema, id: sha256Schema, created: z.boolean(), targets: z.array(sha256Schema) }),
      z.strictObject({ request: submissionRequestSchema, problem: problemSchema }),
    ]),
  ),
});
export type SubmissionBatchView = z.infer<typeof submissionBatchViewSchema>;

export const roundStates = ["planned", "building", "revealing", "settling", "settled"] as const;
export type RoundState = (typeof roundStates)[number];

/** What one operator does in a round, as the API shows it. */
export const jobViewSchema = z.strictObject({
  job: jobIdSchema,
  operator: operatorIdSchema,
  operatorName: z.string(),
  phase: z.enum(jobPhases),
  outcome: z.enum(["built", "failed", "declined"]).optional(),
  activity: z.string().optional(),
  startedAt: z.iso.datetime().optional(),
  committedAt: z.iso.datetime().optional(),
  /** From earlier builds of this source, or of any source, by this operator; absent when there is no history. */
  estimateSeconds: z.number().optional(),
});
export type JobView = z.infer<typeof jobViewSchema>;

/** A round as the API shows it. */
export const roundViewSchema = z.strictObject({
  round: sha256Schema,
  target: sha256Schema,
  attempt: z.int(),
  distribution: z.string(),
  suite: z.string(),
  source: z.string(),
  version: z.string(),
  architecture: z.string(),
  state: z.enum(roundStates),
  /** Digest of the policy that it is under; until its committee is drawn, of the one that was in force when it began. */
  policy: sha256Schema,
  /** What it waits for, or what went wrong and is being tried again; absent while all goes well. */
  reason: z.string().optional(),
  submittedAt: z.iso.datetime(),
  committeeDrawnAt: z.iso.datetime().optional(),
  revealStartedAt: z.iso.datetime().optional(),
  settledAt: z.iso.datetime().optional(),
  jobs: z.array(jobViewSchema),
  verdict: verdictSchema.optional(),
  verdictIndex: z.int().optional(),
});
export type RoundView = z.infer<typeof roundViewSchema>;

/** A submission as the API shows it. */
export const submissionViewSchema = z.strictObject({
  id: sha256Schema,
  request: submissionRequestSchema,
  rounds: z.array(roundViewSchema),
});
export type SubmissionView = z.infer<typeof submissionViewSchema>;

/** `GET /v1/network`: what a client needs to check everything else. */
export const networkViewSchema = z.strictObject({
  /** The log's verifier key (C2SP signed-note vkey). */
  logKey: z.string(),
  logUrl: z.string(),
  networkKey: z.string(),
  /** tlog-policy text: the log, its witnesses and their quorum. */
  witnessPolicy: z.string(),
  policy: policySchema,
  policyDigest: sha256Schema,
  operators: z.array(z.strictObject({ operator: operatorIdSchema, name: z.string(), identityKey: z.string() })),
});
export type NetworkView = z.infer<typeof networkViewSchema>;
