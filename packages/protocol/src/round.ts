import { z } from "zod";
import { formatCanonicalJson } from "./canonical-json.ts";
import { type DigestOf, type Sha256, sha256Of, sha256Schema } from "./digest.ts";
import { operatorIdSchema } from "./operator.ts";
import { utf8 } from "./utf8.ts";

/** A state of the log: tree size and root hash (hexadecimal). */
export const treeHeadSchema = z.strictObject({ size: z.int().min(0), rootSha256: sha256Schema });
export type TreeHead = z.infer<typeof treeHeadSchema>;

/** Predicate of `round/v1`: one attempt at a verdict for a target. */
export const roundSchema = z.strictObject({
  target: sha256Schema,
  attempt: z.int().min(1).max(1000),
  /** Digest of the policy's canonical JSON. */
  policy: sha256Schema,
  /** The published checkpoint that the committee is drawn from: it includes the target's entry. */
  seed: treeHeadSchema,
  /** Operators drawn, in rank order. */
  committee: z.array(operatorIdSchema).min(1).max(1000),
  /** The other eligible operators, in rank order. */
  standIns: z.array(operatorIdSchema).max(10_000),
  /** How many stand-ins have been called; a round is logged again each time that this grows. */
  standInsCalled: z.int().min(0),
});
export type Round = z.infer<typeof roundSchema>;

/** A round's identity: SHA-256 of "quorate/round/v1", the target digest and the attempt; it does not change as stand-ins are called. */
export function roundIdOf(target: Sha256, attempt: number, digestOf: DigestOf = sha256Of): Sha256 {
  return digestOf(utf8(formatCanonicalJson(["quorate/round/v1", target, attempt])));
}
