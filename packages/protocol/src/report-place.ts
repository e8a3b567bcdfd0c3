import { z } from "zod";
import { sha256Schema } from "./digest.ts";

/** Where a report stands among those of its host: a reader notices when one is left out, or comes again. */
export const reportPlaceSchema = z.strictObject({
  /** From 1, one more each time. */
  sequence: z.int().min(1),
  /** A number that is used once: what is signed with one that a fleet gave out was made after that. */
  nonce: z.string().regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits"),
  /** SHA-256 of the envelope before; the first has none. */
  previous: sha256Schema.optional(),
});
export type ReportPlace = z.infer<typeof reportPlaceSchema>;
