import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import { architectureSchema, packageNameSchema, packageVersionSchema } from "./names.ts";

/** Exact packages, with the digests of their .deb files, that a build ran with. Kept as a blob of canonical JSON. */
export const environmentLockSchema = z.strictObject({
  /** Digest of the environment pin that these were resolved from. */
  environment: sha256Schema,
  packages: z
    .array(
      z.strictObject({ package: packageNameSchema, version: packageVersionSchema, architecture: architectureSchema, sha256: sha256Schema }),
    )
    .max(20_000),
});
export type EnvironmentLock = z.infer<typeof environmentLockSchema>;
