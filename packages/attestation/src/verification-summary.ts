import { predicateTypes } from "@quorate/protocol/entry";
import { sha256Schema } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { type Verdict, inputSchema, verdictSchema } from "@quorate/protocol/verdict";
import { z } from "zod";
import { parseNoun } from "./parse-noun.ts";
import { type Statement, namedDigest, statementType } from "./statement.ts";

/** The verifier is the algorithm: whoever runs it over the same entries gets the same verdict. */
export const verifierId = "https://quorate.dev/evaluate/v1";
const policyUri = predicateTypes.policy;
export const entryPrefix = "quorate:entry/";
export const targetPrefix = "quorate:target/sha256/";

const shape = verdictSchema.shape;
const sha256Digest = z.strictObject({ sha256: sha256Schema });

/** It holds all that a verdict does, in the same forms: nothing that it accepts need be looked at again. */
const predicateSchema = z.strictObject({
  verifier: z.strictObject({ id: z.literal(verifierId) }),
  timeVerified: shape.decidedAt,
  resourceUri: z.string().max(200),
  policy: z.strictObject({ uri: z.literal(policyUri), digest: sha256Digest }),
  inputAttestations: z.array(z.strictObject({ uri: z.string().max(60), digest: sha256Digest })).max(2000),
  verificationResult: z.enum(["PASSED", "FAILED"]),
  verifiedLevels: z.array(z.enum(["QUORATE_REPRODUCED", "FAILED"])).length(1),
  quorate_verdict: z.strictObject({
    target: shape.target,
    round: shape.round,
    outcome: shape.outcome,
    reason: shape.reason,
    artifacts: shape.artifacts,
    dissent: shape.dissent,
    inputs: z.array(inputSchema.omit({ envelope: true })).max(2000),
    supersedes: shape.supersedes,
  }),
});

/**
 * A verdict as a SLSA verification summary v1 (docs/predicates/verification-summary.md). The subjects are the target's artifacts with the
 * reference digests; `PASSED` means `reproduced` and nothing else does.
 */
export function formatVerificationSummary(verdict: Verdict): Statement {
  const { target, round, outcome, reason, artifacts, dissent, supersedes } = verdict;
  const passed = outcome === "reproduced";
  return {
    _type: statementType,
    subject: artifacts.map(({ file, reference }) => namedDigest(file, reference)),
    predicateType: predicateTypes.verdict,
    predicate: {
      verifier: { id: verifierId },
      timeVerified: verdict.decidedAt,
      resourceUri: `${targetPrefix}${target}`,
      policy: { uri: policyUri, digest: { sha256: verdict.policy } },
      inputAttestations: verdict.inputs.map(({ index, envelope }) => ({ uri: `${entryPrefix}${index}`, digest: { sha256: envelope } })),
      verificationResult: passed ? "PASSED" : "FAILED",
      verifiedLevels: [passed ? "QUORATE_REPRODUCED" : "FAILED"],
      quorate_verdict: {
        target,
        round,
        outcome,
        reason,
        artifacts,
        dissent,
        inputs: verdict.inputs.map(({ index, operator, standing }) => ({ index, operator, standing })),
        supersedes,
      },
    },
  };
}

/**
 * The inverse of `formatVerificationSummary`.
 *
 * @throws ParseError
 */
export function parseVerificationSummary(statement: Statement): Verdict {
  const predicate = parseNoun(predicateSchema, "verification summary of a verdict", statement.predicate);
  const { policy, timeVerified, inputAttestations, quorate_verdict: said } = predicate;
  const { inputs, ...rest } = said;
  return {
    ...rest,
    policy: policy.digest.sha256,
    decidedAt: timeVerified,
    inputs: inputs.map((input, position) => {
      const attestation = inputAttestations[position];
      if (attestation === undefined) throw new ParseError("verification summary of a verdict", "inputAttestations: one is missing");
      return { ...input, envelope: attestation.digest.sha256 };
    }),
  };
}
