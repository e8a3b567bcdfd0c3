import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { operatorIdSchema } from "./operator.ts";

/** `GET /v1/operators/:operator/record`: what an operator has done in the rounds that have their verdict, each round once. */
export const operatorRecordSchema = z.strictObject({
  operator: operatorIdSchema,
  /** Results that counted, those that dissent among them. */
  counted: z.int().min(0),
  /** Results that counted and say something else than the verdict. */
  dissenting: z.int().min(0),
  /** Results that did not count. */
  notCounted: z.int().min(0),
  /** Commitments without a result. */
  unrevealed: z.int().min(0),
  declined: z.int().min(0),
  /** The newest rounds in which it did not go with the others. */
  exceptions: z.array(z.strictObject({ round: sha256Schema, kind: z.enum(["dissenting", "not-counted", "unrevealed"]) })),
});
export type OperatorRecord = z.infer<typeof operatorRecordSchema>;
