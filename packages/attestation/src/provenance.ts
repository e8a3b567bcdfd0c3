import { debianBuildType, predicateTypes } from "@quorate/protocol/entry";
import { jobIdOf } from "@quorate/protocol/job";
import { type OperatorId, operatorIdSchema } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import { type BuiltResult, type Byproduct, builtResultSchema, byproductSchema, traceSummarySchema } from "@quorate/protocol/result";
import { sha256Schema } from "@quorate/protocol/digest";
import { fileNameSchema, timeSchema } from "@quorate/protocol/names";
import { z } from "zod";
import { parseNoun } from "./parse-noun.ts";
import { type Statement, namedDigest, namedDigestSchema, statementType } from "./statement.ts";

export const builderPrefix = "https://quorate.dev/operator/";
/** No file name holds a space, so no source can be taken for it. */
export const environmentName = "environment pin";

const sized = { name: fileNameSchema, digest: z.strictObject({ sha256: sha256Schema }) };
const subjectSchema = z
  .array(z.strictObject({ ...sized, annotations: z.strictObject({ sizeBytes: z.int().min(0) }) }))
  .min(1)
  .max(2000);

/** A blob that a result names, as a ResourceDescriptor. */
export const byproductDescriptorSchema = z.strictObject({
  name: byproductSchema.shape.name,
  digest: z.strictObject({ sha256: sha256Schema }),
  mediaType: byproductSchema.shape.mediaType,
  annotations: z.strictObject({ kind: byproductSchema.shape.kind, sizeBytes: byproductSchema.shape.sizeBytes }),
});

const shape = builtResultSchema.shape;

/** What was asked for: what a reader who wants to build it again needs to know. */
export const externalParametersSchema = z.strictObject({
  target: shape.target,
  distribution: shape.distribution,
  suite: shape.suite,
  source: shape.source,
  version: shape.version,
  architecture: shape.architecture,
});

/** What the network decided: `variations` is empty for a plain rebuild. */
export const internalParametersSchema = z.strictObject({
  round: shape.round,
  fence: shape.fence,
  nonce: shape.nonce,
  sandboxProfile: shape.sandboxProfile,
  variations: z.strictObject({}),
});

const builderSchema = z.strictObject({ id: z.string().startsWith(builderPrefix), version: shape.builderVersion });

const predicateSchema = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: z.literal(debianBuildType),
    externalParameters: externalParametersSchema,
    internalParameters: internalParametersSchema,
    resolvedDependencies: z.array(namedDigestSchema).min(1).max(6000),
  }),
  runDetails: z.strictObject({
    builder: builderSchema,
    metadata: z.strictObject({
      invocationId: z.string(),
      startedOn: timeSchema,
      finishedOn: timeSchema,
      quorate_trace: traceSummarySchema,
    }),
    byproducts: z.array(byproductDescriptorSchema).max(5000),
  }),
});

/**
 * A built result as SLSA provenance v1, build type `https://quorate.dev/build/debian/v1` (docs/predicates/debian-build.md). The subjects are
 * the artifacts; the resolved dependencies are the source files, the environment pin and every environment lock.
 */
export function formatProvenance(result: BuiltResult): Statement {
  const { source, version, architecture, distribution, suite, target } = result;
  const { round, fence, nonce, sandboxProfile } = result;
  return {
    _type: statementType,
    subject: result.artifacts.map((artifact) => ({
      ...namedDigest(artifact.name, artifact.sha256),
      annotations: { sizeBytes: artifact.sizeBytes },
    })),
    predicateType: predicateTypes.built,
    predicate: {
      buildDefinition: {
        buildType: debianBuildType,
        externalParameters: { target, distribution, suite, source, version, architecture },
        internalParameters: { round, fence, nonce, sandboxProfile, variations: {} },
        resolvedDependencies: resolvedDependencies(result),
      },
      runDetails: {
        builder: { id: builderIdOf(result.operator), version: result.builderVersion },
        metadata: {
          invocationId: jobIdOf(round, result.operator),
          startedOn: result.startedAt,
          finishedOn: result.finishedAt,
          quorate_trace: result.trace,
        },
        byproducts: result.byproducts.map(describeByproduct),
      },
    },
  };
}

/**
 * The inverse of `formatProvenance`.
 *
 * @throws ParseError
 */
export function parseProvenance(statement: Statement): BuiltResult {
  const subject = parseNoun(subjectSchema, "subjects of a build's provenance", statement.subject);
  const { buildDefinition, runDetails } = parseNoun(predicateSchema, "SLSA provenance of a Debian build", statement.predicate);
  const { variations: _plain, ...internal } = buildDefinition.internalParameters;
  const environmentAt = buildDefinition.resolvedDependencies.findIndex(({ name }) => name === environmentName);
  const environment = buildDefinition.resolvedDependencies[environmentAt];
  if (environment === undefined) throw new ParseError("SLSA provenance of a Debian build", "resolvedDependencies: no environment pin");
  const sources = buildDefinition.resolvedDependencies.slice(0, environmentAt).map(({ name, digest }) => ({ name, sha256: digest.sha256 }));
  // The schemas above hold the rest of a result in the forms that it has: it need not be looked at again.
  return {
    outcome: "built",
    ...buildDefinition.externalParameters,
    ...internal,
    operator: parseBuilderId(runDetails.builder.id),
    environment: environment.digest.sha256,
    builderVersion: runDetails.builder.version,
    startedAt: runDetails.metadata.startedOn,
    finishedAt: runDetails.metadata.finishedOn,
    byproducts: runDetails.byproducts.map(byproductOf),
    artifacts: subject.map(({ name, digest, annotations }) => ({ name, sha256: digest.sha256, sizeBytes: annotations.sizeBytes })),
    sources: parseNoun(shape.sources, "sources of a build", sources),
    trace: runDetails.metadata.quorate_trace,
  };
}

export function builderIdOf(operator: string): string {
  return `${builderPrefix}${operator}`;
}

/** @throws ParseError */
export function parseBuilderId(id: string): OperatorId {
  return parseNoun(operatorIdSchema, "builder id", id.startsWith(builderPrefix) ? id.slice(builderPrefix.length) : id);
}

export function describeByproduct({ kind, name, sizeBytes, sha256, mediaType }: Byproduct): z.infer<typeof byproductDescriptorSchema> {
  return { ...namedDigest(name, sha256), mediaType, annotations: { kind, sizeBytes } };
}

export function byproductOf({ name, digest, mediaType, annotations }: z.infer<typeof byproductDescriptorSchema>): Byproduct {
  return { kind: annotations.kind, name, sizeBytes: annotations.sizeBytes, sha256: digest.sha256, mediaType };
}

function resolvedDependencies({ sources, environment, byproducts }: BuiltResult) {
  const locks = byproducts.filter(({ kind }) => kind === "environment-lock");
  return [
    ...sources.map(({ name, sha256 }) => namedDigest(name, sha256)),
    namedDigest(environmentName, environment),
    ...locks.map(({ name, sha256 }) => namedDigest(name, sha256)),
  ];
}
