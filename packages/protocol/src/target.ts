import { utf8 } from "./utf8.ts";
import { z } from "zod";
import { formatCanonicalJson } from "./canonical-json.ts";
import { type DigestOf, type Sha256, sha256Of, sha256Schema } from "./digest.ts";
import {
  architectureSchema,
  archivePathSchema,
  componentSchema,
  distributionSchema,
  fileNameSchema,
  packageNameSchema,
  packageVersionSchema,
  suiteSchema,
} from "./names.ts";

export const fileDigestSchema = z.strictObject({ name: fileNameSchema, sizeBytes: z.int().min(0), sha256: sha256Schema });
export type FileDigest = z.infer<typeof fileDigestSchema>;

/** One index file that an InRelease names, such as `main/binary-amd64/Packages`, by the digest of its uncompressed text. */
export const indexPinSchema = z.strictObject({ path: archivePathSchema, sizeBytes: z.int().min(0), sha256: sha256Schema });
export type IndexPin = z.infer<typeof indexPinSchema>;

/** One suite whose state is pinned: its signed InRelease file and the indices that a build resolves from. */
export const suitePinSchema = z.strictObject({
  suite: suiteSchema,
  inReleaseSha256: sha256Schema,
  indices: z.array(indexPinSchema).min(1).max(40),
});
export type SuitePin = z.infer<typeof suitePinSchema>;

/** The build environment: every package comes from the pinned state of these suites. */
export const environmentPinSchema = z.strictObject({
  kind: z.literal("suite"),
  suites: z.array(suitePinSchema).min(1).max(10),
  /** Set when an archive past its Valid-Until was allowed by an explicit setting. */
  expiredAllowed: z.boolean(),
});
export type EnvironmentPin = z.infer<typeof environmentPinSchema>;

/** One binary package file that the distribution published: the reference. */
export const expectedArtifactSchema = z.strictObject({
  file: fileNameSchema,
  /** Path below the archive's root, for fetching. */
  path: archivePathSchema,
  package: packageNameSchema,
  version: packageVersionSchema,
  architecture: architectureSchema,
  sizeBytes: z.int().min(0),
  sha256: sha256Schema,
});
export type ExpectedArtifact = z.infer<typeof expectedArtifactSchema>;

/** Predicate of `target/v1`: one source build to reproduce. */
export const targetSchema = z.strictObject({
  distribution: distributionSchema,
  suite: suiteSchema,
  component: componentSchema,
  source: packageNameSchema,
  /** The source's version. */
  version: packageVersionSchema,
  /** `all`, or the machine architecture that is built. */
  architecture: architectureSchema,
  /** Directory of the source files below the archive's root. */
  directory: archivePathSchema,
  /** The `.dsc` and what it names, as the Sources index lists them, sorted by name. */
  files: z.array(fileDigestSchema).min(1).max(200),
  /** Sorted by file name. */
  artifacts: z.array(expectedArtifactSchema).min(1).max(2000),
  /** `+b1` and the like, when the distribution rebuilt the binaries without a source change. */
  binNmu: z
    .string()
    .regex(/^\+b[1-9]\d{0,3}$/)
    .optional(),
  environment: environmentPinSchema,
});
export type Target = z.infer<typeof targetSchema>;

/** A target's identity: SHA-256 of its canonical JSON. */
export function targetDigestOf(target: Target, digestOf: DigestOf = sha256Of): Sha256 {
  return digestOf(utf8(formatCanonicalJson(target)));
}

export function environmentPinDigestOf(pin: EnvironmentPin, digestOf: DigestOf = sha256Of): Sha256 {
  return digestOf(utf8(formatCanonicalJson(pin)));
}
