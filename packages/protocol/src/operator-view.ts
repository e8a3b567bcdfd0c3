import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { enrolmentSchema } from "./operator.ts";

/** What an operator has done in the rounds that have their verdict, each round once. */
export const operatorRecordSchema = z.strictObject({
  /** Results that counted, those that dissent among them. */
  counted: z.int().min(0),
  /** Results that counted and say something else than the verdict. */
  dissenting: z.int().min(0),
  /** Results that did not count. */
  notCounted: z.int().min(0),
  /** Commitments without a result. */
  unrevealed: z.int().min(0),
  declined: z.int().min(0),
});
export type OperatorRecord = z.infer<typeof operatorRecordSchema>;

/** An operator as the API shows it: what it enrolled as, and its record. Its machines' addresses are nowhere in it. */
export const operatorViewSchema = z.strictObject({
  ...enrolmentSchema.omit({ action: true, identityKey: true, linkKey: true }).shape,
  enrolledIndex: z.int().min(0),
  enrolledAt: z.iso.datetime(),
  revokedIndex: z.int().min(0).optional(),
  record: operatorRecordSchema,
});
export type OperatorView = z.infer<typeof operatorViewSchema>;

/** `GET /v1/operators`, in the order of enrolment. */
export const operatorListSchema = z.strictObject({ operators: z.array(operatorViewSchema) });

/** A round in which an operator did not go with the others. */
export const exceptionSchema = z.strictObject({ round: sha256Schema, kind: z.enum(["dissenting", "not-counted", "unrevealed"]) });

/** `GET /v1/operators/:operator`: with the newest rounds in which it did not go with the others. */
export const operatorPageSchema = operatorViewSchema.extend({ exceptions: z.array(exceptionSchema) });
export type OperatorPage = z.infer<typeof operatorPageSchema>;
