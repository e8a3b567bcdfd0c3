import { traceSummaryOf } from "@quorate/attestation/build-trace";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { type JobMessage, maxReportedEnvelopeBytes } from "@quorate/protocol/job";
import { formatTime } from "@quorate/protocol/names";
import type { OperatorId } from "@quorate/protocol/operator";
import { type Byproduct, type Failure, type Result, resultSchema } from "@quorate/protocol/result";
import { environmentPinDigestOf, type Target } from "@quorate/protocol/target";
import { signStatement } from "@quorate/signing/envelope";
import type { P256Signer } from "@quorate/signing/p256-key";
import workerPackage from "../package.json" with { type: "json" };
import type { BuildOutcome } from "./executor.ts";
import { plainLine } from "./plain-line.ts";

/** What a result says besides what came out. */
export type ResultFacts = {
  job: JobMessage;
  fence: number;
  operator: OperatorId;
  target: Target;
  /** 16 random bytes, hexadecimal. */
  nonce: string;
  startedAt: Date;
  finishedAt: Date;
};

export function resultOf(facts: ResultFacts, outcome: BuildOutcome, byproducts: Byproduct[]): Result {
  const { job, fence, operator, target, nonce } = facts;
  const common = {
    target: job.target,
    round: job.round,
    operator,
    fence,
    nonce,
    distribution: target.distribution,
    suite: target.suite,
    source: target.source,
    version: target.version,
    architecture: target.architecture,
    environment: environmentPinDigestOf(target.environment),
    builderVersion: { ...outcome.builderVersion, worker: workerPackage.version },
    sandboxProfile: outcome.sandboxProfile,
    startedAt: formatTime(facts.startedAt),
    finishedAt: formatTime(facts.finishedAt),
    byproducts,
  };
  if (outcome.kind === "failed") return { outcome: "failed", ...common, failure: outcome.failure };
  const artifacts = outcome.artifacts
    .map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes, sha256 }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  return { outcome: "built", ...common, artifacts, sources: outcome.sources, trace: traceSummaryOf(outcome.trace) };
}

/**
 * The signed envelope of a result, as large as the bus takes it: one with too many byproducts goes without the manifests, and what cannot be
 * said at all is a signed failure.
 */
export function signResult(
  facts: ResultFacts,
  outcome: BuildOutcome,
  signing: { byproducts: Byproduct[]; signer: P256Signer },
): { envelope: Uint8Array; digest: Sha256; result: Result } {
  const { byproducts, signer } = signing;
  const withoutManifests = byproducts.filter(({ kind }) => kind !== "manifest");
  const refusals: unknown[] = [];
  for (const candidate of [() => resultOf(facts, outcome, byproducts), () => resultOf(facts, outcome, withoutManifests)]) {
    try {
      return sign(candidate(), signer);
    } catch (error) {
      refusals.push(error);
    }
  }
  const message = plainLine(`the result cannot be logged: ${String(refusals.at(-1))}`, 500);
  const builder = { builderVersion: {}, sandboxProfile: "none" };
  return sign(resultOf(facts, failedOutcome(builder, { reason: "infrastructure", step: "attest", message }), []), signer);
}

/** @throws Error when it is not what readers take, or too large to be sent: an executor may say anything */
function sign(result: Result, signer: P256Signer): { envelope: Uint8Array; digest: Sha256; result: Result } {
  const checked = resultSchema.safeParse(result);
  const issue = checked.error?.issues[0];
  if (!checked.success) throw new Error(`${issue?.path.join(".")}: ${issue?.message}`);
  const envelope = signStatement({ kind: "result", result: checked.data }, [signer]);
  if (envelope.length > maxReportedEnvelopeBytes) {
    throw new Error(`its envelope has ${envelope.length} bytes, and a report at most ${maxReportedEnvelopeBytes}`);
  }
  return { envelope, digest: sha256Of(envelope), result: checked.data };
}

/** A failure in place of an outcome that there is no use for, built by the same builder. */
export function failedOutcome(builder: Pick<BuildOutcome, "builderVersion" | "sandboxProfile">, failure: Failure): BuildOutcome {
  const { builderVersion, sandboxProfile } = builder;
  return { kind: "failed", failure, builderVersion, sandboxProfile };
}
