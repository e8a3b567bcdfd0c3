import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { groupKinds } from "./operator.ts";

/** Predicate of `policy/v1`: the rules under which the network draws committees and reaches verdicts. Referenced by its digest. */
export const policySchema = z.strictObject({
  /** k: how many independent operators must agree. */
  threshold: z.int().min(1).max(1000),
  /** n: how many operators are drawn for a round. */
  committeeSize: z.int().min(1).max(1000),
  /** Each rule: the agreeing operators must show at least `distinct` values of `group`. */
  diversity: z.array(z.strictObject({ group: z.enum(groupKinds), distinct: z.int().min(2).max(1000) })).max(10),
  /** Operators that share a value of one of these groups count once together. */
  countOnceBy: z.array(z.enum(groupKinds)).max(4),
  trace: z.strictObject({
    /** Per cent of the files that two traces both list which must have equal digests. */
    sharePercent: z.int().min(0).max(100),
    /** A trace with fewer files is `traceless`. */
    minimumFiles: z.int().min(1),
    /** Whether a traceless result counts. */
    countTraceless: z.boolean(),
  }),
  commitDeadlineSeconds: z.int().min(1),
  revealDeadlineSeconds: z.int().min(1),
});
export type Policy = z.infer<typeof policySchema>;

/** A policy as the log has it: every version has an entry, and rounds name theirs by its digest. */
export const policyVersionSchema = z.strictObject({ index: z.int().min(0), digest: sha256Schema, policy: policySchema });
export type PolicyVersion = z.infer<typeof policyVersionSchema>;

/** `GET /v1/policies`: newest first. */
export const policyListSchema = z.strictObject({ policies: z.array(policyVersionSchema) });

/** The policy of a network that says nothing else: two of three. */
export const defaultPolicy: Policy = {
  threshold: 2,
  committeeSize: 3,
  diversity: [],
  countOnceBy: [],
  trace: { sharePercent: 80, minimumFiles: 8, countTraceless: true },
  commitDeadlineSeconds: 6 * 3600,
  revealDeadlineSeconds: 600,
};
