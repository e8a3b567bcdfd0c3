import { z } from "zod";
import { sha256Schema } from "./digest.ts";
import {
  architectureSchema,
  distributionSchema,
  fileNameSchema,
  lineSchema,
  packageNameSchema,
  packageVersionSchema,
  suiteSchema,
  timeSchema,
} from "./names.ts";
import { operatorIdSchema } from "./operator.ts";
import { fileDigestSchema } from "./target.ts";

/** Something large that a result names by digest and that is kept as a blob. */
export const byproductSchema = z.strictObject({
  kind: z.enum(["build-log", "buildinfo", "build-trace", "manifest", "environment-lock", "in-toto-links"]),
  name: lineSchema(300),
  sizeBytes: z.int().min(0),
  sha256: sha256Schema,
  mediaType: lineSchema(100),
});
export type Byproduct = z.infer<typeof byproductSchema>;

/** Reasons of a failed build. The first five are retried with backoff; the last two are not. */
export const failureReasons = [
  "source-unavailable",
  "dependencies-uninstallable",
  "environment-unavailable",
  "timeout",
  "out-of-resources",
  "infrastructure",
  "build-failed",
  "nothing-to-compare",
] as const;
export const failureSchema = z.strictObject({
  reason: z.enum(failureReasons),
  /** The step that failed, such as `unpack`, `build-dependencies`, `build`. */
  step: lineSchema(80),
  /** One line for people: what went wrong. */
  message: lineSchema(500),
});
export type Failure = z.infer<typeof failureSchema>;

const common = {
  target: sha256Schema,
  round: sha256Schema,
  operator: operatorIdSchema,
  fence: z.int().min(1),
  /** 16 random bytes, hexadecimal: makes the commitment unguessable. */
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  distribution: distributionSchema,
  suite: suiteSchema,
  source: packageNameSchema,
  version: packageVersionSchema,
  architecture: architectureSchema,
  /** Digest of the environment pin that the build was resolved from. */
  environment: sha256Schema,
  /** What built it: worker, kernel, dpkg, executor, each a version. */
  builderVersion: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/), lineSchema(200)),
  sandboxProfile: lineSchema(80),
  startedAt: timeSchema,
  finishedAt: timeSchema,
  byproducts: z.array(byproductSchema).max(5000),
};

export const traceSummarySchema = z.strictObject({ rootSha256: sha256Schema, files: z.int().min(0) });

export const builtResultSchema = z.strictObject({
  outcome: z.literal("built"),
  ...common,
  /** Every binary package file that the build made, sorted by name. */
  artifacts: z.array(fileDigestSchema).min(1).max(2000),
  /** The source files that went in, as verified. */
  sources: z.array(z.strictObject({ name: fileNameSchema, sha256: sha256Schema })).max(200),
  trace: traceSummarySchema,
});

export const failedResultSchema = z.strictObject({ outcome: z.literal("failed"), ...common, failure: failureSchema });

/** The signed statement of what came out: built or failed. */
export const resultSchema = z.discriminatedUnion("outcome", [builtResultSchema, failedResultSchema]);
export type Result = z.infer<typeof resultSchema>;
export type BuiltResult = z.infer<typeof builtResultSchema>;
export type FailedResult = z.infer<typeof failedResultSchema>;
