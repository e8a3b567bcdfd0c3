import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { operatorIdSchema } from "./operator.ts";

/** Predicate of `commitment/v1`: an operator binds itself to a result before it can see another's. */
export const commitmentSchema = z.strictObject({
  round: sha256Schema,
  operator: operatorIdSchema,
  fence: z.int().min(1),
  /** SHA-256 of the bytes of the result's envelope (canonical JSON). */
  envelope: sha256Schema,
});
export type Commitment = z.infer<typeof commitmentSchema>;
