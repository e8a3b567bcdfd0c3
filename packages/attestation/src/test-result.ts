import { debianBuildType, predicateTypes } from "@quorate/protocol/entry";
import { sha256Schema } from "@quorate/protocol/digest";
import { type FailedResult, failedResultSchema, failureSchema } from "@quorate/protocol/result";
import { z } from "zod";
import { parseNoun } from "./parse-noun.ts";
import {
  builderIdOf,
  byproductDescriptorSchema,
  byproductOf,
  describeByproduct,
  externalParametersSchema,
  internalParametersSchema,
  parseBuilderId,
} from "./provenance.ts";
import { type Statement, formatPredicate, namedDigest } from "./statement.ts";

const shape = failedResultSchema.shape;

const predicateSchema = z.strictObject({
  result: z.literal("FAILED"),
  configuration: z.tuple([z.strictObject({ name: z.literal("environment pin"), digest: z.strictObject({ sha256: sha256Schema }) })]),
  failedTests: z.tuple([failureSchema.shape.step]),
  quorate_build: z.strictObject({
    buildType: z.literal(debianBuildType),
    externalParameters: externalParametersSchema,
    internalParameters: internalParametersSchema,
    builder: z.strictObject({ id: z.string(), version: shape.builderVersion }),
    startedOn: shape.startedAt,
    finishedOn: shape.finishedAt,
    byproducts: z.array(byproductDescriptorSchema).max(5000),
    failure: failureSchema,
  }),
});

/**
 * A failed result as an in-toto test-result v0.1 (docs/predicates/debian-build.md): the test is the build's step that failed, the
 * configuration is the environment pin, the subject is the target. What provenance would have said is in `quorate_build`.
 */
export function formatTestResult(result: FailedResult): Statement {
  const { source, version, architecture, distribution, suite, target } = result;
  const { round, fence, nonce, sandboxProfile } = result;
  return formatPredicate(predicateTypes.failed, namedDigest("target", target), {
    result: "FAILED",
    configuration: [namedDigest("environment pin", result.environment)],
    failedTests: [result.failure.step],
    quorate_build: {
      buildType: debianBuildType,
      externalParameters: { target, distribution, suite, source, version, architecture },
      internalParameters: { round, fence, nonce, sandboxProfile, variations: {} },
      builder: { id: builderIdOf(result.operator), version: result.builderVersion },
      startedOn: result.startedAt,
      finishedOn: result.finishedAt,
      byproducts: result.byproducts.map(describeByproduct),
      failure: result.failure,
    },
  });
}

/**
 * The inverse of `formatTestResult`.
 *
 * @throws ParseError
 */
export function parseTestResult(statement: Statement): FailedResult {
  const predicate = parseNoun(predicateSchema, "test result of a build that failed", statement.predicate);
  const { configuration, quorate_build: build } = predicate;
  const { variations: _plain, ...internal } = build.internalParameters;
  return parseNoun(failedResultSchema, "result of a build that failed", {
    outcome: "failed",
    ...build.externalParameters,
    ...internal,
    operator: parseBuilderId(build.builder.id),
    environment: configuration[0].digest.sha256,
    builderVersion: build.builder.version,
    startedAt: build.startedOn,
    finishedAt: build.finishedOn,
    byproducts: build.byproducts.map(byproductOf),
    failure: build.failure,
  });
}
