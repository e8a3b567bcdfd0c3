import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { lineSchema, packageNameSchema, timeSchema } from "./names.ts";
import { reportPlaceSchema } from "./report-place.ts";

const count = z.int().min(0);
const classSchema = z.string().regex(/^[a-z-]{1,40}$/);

/** What the kernel's list of measurements (IMA) comes to. */
const imaSchema = z.strictObject({
  entries: count,
  /** Files of packages, that the quorum rebuilt. */
  verified: count,
  unverified: count,
  /** Files that may have changed while they were measured. */
  violations: count,
  /** What the entries make of register 10 of a TPM, in the bank SHA-256. */
  pcr10: sha256Schema,
});
export type ImaEvidence = z.infer<typeof imaSchema>;

/** Of the files that run and are verified, how many have fs-verity on. */
const veritySchema = z.strictObject({ files: count, protected: count });

/** Predicate of `runtime/v1`: what a look at the processes of a host found. */
export const runtimeSchema = z.strictObject({
  outcome: z.enum(["clean", "drift", "incomplete", "tampering"]),
  sweptAt: timeSchema,
  ...reportPlaceSchema.shape,
  processes: count,
  /** How many files and kinds of memory are of each class. */
  counts: z.record(classSchema, count),
  /** All that is not as expected, up to a bound; `counts` has the whole. */
  findings: z
    .array(
      z.strictObject({
        class: classSchema,
        path: z.string().max(4000),
        processes: z.int().min(1),
        package: packageNameSchema.optional(),
        reason: z.string().max(500).optional(),
      }),
    )
    .max(100),
  /** What no look at processes can show. */
  unseen: z.array(lineSchema(300)).max(20),
  checkpoint: z.strictObject({ origin: lineSchema(300), size: count, rootSha256: sha256Schema }),
  /** SHA-256 of the host's policy. */
  policy: sha256Schema,
  /** What the report rests on besides the host's word. */
  evidence: z.literal("software-only"),
  ima: imaSchema.optional(),
  verity: veritySchema.optional(),
  /** What could be evidence and is not there, each with the reason. */
  lacks: z.array(lineSchema(300)).max(10).optional(),
});
export type RuntimePredicate = z.infer<typeof runtimeSchema>;
