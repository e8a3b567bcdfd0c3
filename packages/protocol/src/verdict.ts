import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { fileNameSchema, lineSchema, timeSchema } from "./names.ts";
import { operatorIdSchema } from "./operator.ts";

export const verdictOutcomes = ["reproduced", "mismatch", "unreproducible", "failed", "inconclusive"] as const;
export type VerdictOutcome = (typeof verdictOutcomes)[number];

/** What the operators say of one artifact: their digests, grouped; the largest group first. */
export const artifactVerdictSchema = z.strictObject({
  file: fileNameSchema,
  reference: sha256Schema,
  outcome: z.enum(verdictOutcomes),
  digests: z.array(z.strictObject({ sha256: sha256Schema, operators: z.array(operatorIdSchema).min(1) })),
});
export type ArtifactVerdict = z.infer<typeof artifactVerdictSchema>;

/** `counted`, or why a result did not count. */
export const standings = [
  "counted",
  "not-enrolled",
  "not-in-committee",
  "not-committed",
  "duplicate",
  "wrong-environment",
  /** Another operator's trace lists the same files with other digests, and no operator's agrees. */
  "trace-contradicted",
  /** No other operator revealed a trace to compare this one with. */
  "uncorroborated",
  "traceless",
] as const;

/** One result that the verdict looked at, and whether it counted. */
export const inputSchema = z.strictObject({
  index: z.int().min(0),
  /** SHA-256 of the logged envelope. */
  envelope: sha256Schema,
  operator: operatorIdSchema,
  standing: z.enum(standings),
});
export type VerdictInput = z.infer<typeof inputSchema>;

/** The outcome of a round, computed from logged evidence under a policy. */
export const verdictSchema = z.strictObject({
  target: sha256Schema,
  round: sha256Schema,
  policy: sha256Schema,
  outcome: z.enum(verdictOutcomes),
  /** One line: why, for `failed` and `inconclusive`. */
  reason: lineSchema(500).optional(),
  artifacts: z.array(artifactVerdictSchema),
  /** Operators whose counting result disagrees with the verdict, sorted. */
  dissent: z.array(operatorIdSchema),
  /** Every result of the round that was logged before the verdict, by index. */
  inputs: z.array(inputSchema),
  decidedAt: timeSchema,
  /** Log index of an earlier verdict of the same target that this one replaces. */
  supersedes: z.int().min(0).optional(),
});
export type Verdict = z.infer<typeof verdictSchema>;
