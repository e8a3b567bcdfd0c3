import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { architectureSchema, fileNameSchema, packageNameSchema, packageVersionSchema } from "./names.ts";
import { roundStates } from "./submission.ts";
import { verdictOutcomes } from "./verdict.ts";

/** What the network has to say about one published artifact: the newest verdict that covers it. */
export const artifactViewSchema = z.strictObject({
  sha256: sha256Schema,
  file: fileNameSchema,
  package: packageNameSchema,
  version: packageVersionSchema,
  architecture: architectureSchema,
  target: sha256Schema,
  round: sha256Schema,
  outcome: z.enum(verdictOutcomes),
  verdictIndex: z.int().min(0),
});
export type ArtifactView = z.infer<typeof artifactViewSchema>;

/** `GET /v1/artifacts?name&version&architecture`, newest verdict first. */
export const artifactListSchema = z.strictObject({ artifacts: z.array(artifactViewSchema) });

/** `GET /v1/stats`. */
export const statsSchema = z.strictObject({
  operators: z.int().min(0),
  rounds: z.partialRecord(z.enum(roundStates), z.int().min(0)),
  verdicts: z.partialRecord(z.enum(verdictOutcomes), z.int().min(0)),
  logSize: z.int().min(0),
});
export type Stats = z.infer<typeof statsSchema>;
