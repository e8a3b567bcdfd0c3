import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { architectureSchema, lineSchema, packageNameSchema, packageVersionSchema, timeSchema } from "./names.ts";
import { reportPlaceSchema } from "./report-place.ts";

const count = z.int().min(0);
const packageSchema = z.strictObject({ package: packageNameSchema, version: packageVersionSchema, architecture: architectureSchema });

/** Predicate of `deployment/v1`: what an audit found on a host, in an image or in an archive. */
export const deploymentSchema = z.strictObject({
  outcome: z.enum(["clean", "drift", "incomplete", "tampering"]),
  auditedAt: timeSchema,
  /** Packages whose files were compared, each with the artifact's digest and the index of its verdict. */
  verified: z.array(packageSchema.extend({ sha256: sha256Schema, verdictIndex: z.int().min(0) })).max(200_000),
  unverified: z.array(packageSchema.extend({ reason: lineSchema(300) })).max(200_000),
  /** How many files are of each class. */
  counts: z.record(z.string().regex(/^[a-z-]{1,40}$/), count),
  /** All that is not as expected, up to a bound; `counts` has the whole. */
  findings: z
    .array(
      z.strictObject({ class: z.string().regex(/^[a-z-]{1,40}$/), path: z.string().max(20_000), reason: z.string().max(2000).optional() }),
    )
    .max(1000),
  /** What no audit of files can show. */
  unseen: z.array(lineSchema(300)),
  checkpoint: z.strictObject({ origin: lineSchema(300), size: count, rootSha256: sha256Schema }),
  /** SHA-256 of the auditor's policy. */
  policy: sha256Schema,
  /** What the statement rests on besides the auditor's word. */
  evidence: z.literal("software-only"),
  /** Of a statement that its host has signed. */
  report: reportPlaceSchema.optional(),
});
export type Deployment = z.infer<typeof deploymentSchema>;
