import { z } from "zod";
import { projectSchema, tokenIdSchema, tokenViewSchema } from "./api-token.ts";
import { sha256Schema } from "./digest.ts";
import { architectureSchema, packageVersionSchema } from "./names.ts";
import { roundStates, submissionRequestSchema } from "./submission.ts";
import { verdictOutcomes } from "./verdict.ts";

/** `GET /v1/project`: what the project of a token has submitted, and what came of it. */
export const projectViewSchema = z.strictObject({
  project: projectSchema,
  /** The token that asks. */
  token: tokenViewSchema,
  quota: z.strictObject({
    targetsADay: z.int(),
    /** Targets of the last 24 hours. */
    used: z.int(),
    /** When the first of them no longer counts. */
    freeAt: z.iso.datetime().optional(),
  }),
  submissions: z.int(),
  /** Its targets by what the newest round of each has come to: its verdict's outcome, or `pending`. */
  targets: z.partialRecord(z.enum([...verdictOutcomes, "pending"]), z.int()),
  /** Targets whose newest round has another verdict than `reproduced`. */
  failing: z.int(),
  /** What operators' builds of its targets took, in all rounds of these, whoever else submitted them. */
  builderSeconds: z.int(),
});
export type ProjectView = z.infer<typeof projectViewSchema>;

const projectTargetSchema = z.strictObject({
  target: sha256Schema,
  version: packageVersionSchema,
  architecture: architectureSchema,
  /** Its newest round. */
  round: sha256Schema,
  state: z.enum(roundStates),
  outcome: z.enum(verdictOutcomes).optional(),
  verdictIndex: z.int().optional(),
});

/** A page of what a project has submitted, newest first; `next` is the `after` of the page that follows. */
export const projectSubmissionsSchema = z.strictObject({
  submissions: z.array(
    z.strictObject({
      id: sha256Schema,
      request: submissionRequestSchema,
      /** Id of the token that it came with. */
      token: tokenIdSchema,
      submittedAt: z.iso.datetime(),
      targets: z.array(projectTargetSchema),
    }),
  ),
  next: sha256Schema.optional(),
});
export type ProjectSubmissions = z.infer<typeof projectSubmissionsSchema>;

/** A page of what was done to a project, newest first. */
export const projectAuditSchema = z.strictObject({
  entries: z.array(
    z.strictObject({
      id: z.int(),
      at: z.iso.datetime(),
      actor: z.string(),
      action: z.string(),
      subject: z.string().optional(),
      detail: z.string().optional(),
    }),
  ),
  next: z.int().optional(),
});
export type ProjectAudit = z.infer<typeof projectAuditSchema>;
