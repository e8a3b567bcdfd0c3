import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { maxEntryBytes, maxEnvelopeBytes } from "./entry.ts";

/** Predicate of `large-envelope/v1`: stands in the log for an envelope that is too large for an entry, and is kept as a blob. */
export const largeEnvelopeSchema = z.strictObject({
  /** SHA-256 of the envelope's bytes (canonical JSON). */
  envelope: sha256Schema,
  sizeBytes: z
    .int()
    .min(maxEntryBytes + 1)
    .max(maxEnvelopeBytes),
});
export type LargeEnvelope = z.infer<typeof largeEnvelopeSchema>;
