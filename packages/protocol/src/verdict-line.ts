import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import {
  architectureSchema,
  distributionSchema,
  fileNameSchema,
  lineSchema,
  packageNameSchema,
  packageVersionSchema,
  suiteSchema,
  timeSchema,
} from "./names.ts";
import { operatorIdSchema } from "./operator.ts";
import { verdictOutcomes } from "./verdict.ts";

/** A verdict and what it is about, as lists of verdicts have it. The evidence is in the log. */
export const verdictLineSchema = z.strictObject({
  /** The verdict's entry. */
  index: z.int().min(0),
  target: sha256Schema,
  distribution: distributionSchema,
  suite: suiteSchema,
  source: packageNameSchema,
  version: packageVersionSchema,
  architecture: architectureSchema,
  outcome: z.enum(verdictOutcomes),
  reason: lineSchema(500).optional(),
  decidedAt: timeSchema,
  /** The entry of an earlier verdict that this one replaces. */
  supersedes: z.int().min(0).optional(),
  /** Operators whose counting result disagrees. */
  dissent: z.array(operatorIdSchema),
  artifacts: z.array(
    z.strictObject({
      file: fileNameSchema,
      package: packageNameSchema,
      version: packageVersionSchema,
      architecture: architectureSchema,
      /** What the distribution published. */
      sha256: sha256Schema,
      outcome: z.enum(verdictOutcomes),
    }),
  ),
});
export type VerdictLine = z.infer<typeof verdictLineSchema>;

/** `GET /v1/verdicts`: a part of all verdicts. The next begins at `next`; when that is `size`, there is none yet. */
export const verdictPageSchema = z.strictObject({
  verdicts: z.array(verdictLineSchema),
  next: z.int().min(0),
  /** Entries of the log that have been read. */
  size: z.int().min(0),
});
export type VerdictPage = z.infer<typeof verdictPageSchema>;
