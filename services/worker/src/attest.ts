import { traceSummaryOf } from "@quorate/attestation/build-trace";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { JobMessage } from "@quorate/protocol/job";
import type { OperatorId } from "@quorate/protocol/operator";
import type { Byproduct, Failure, Result } from "@quorate/protocol/result";
import { environmentPinDigestOf, type Target } from "@quorate/protocol/target";
import { signStatement } from "@quorate/signing/envelope";
import type { P256Signer } from "@quorate/signing/p256-key";
import workerPackage from "../package.json" with { type: "json" };
import type { BuildOutcome } from "./executor.ts";

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
 * The signed envelope of a result, as large as the log takes it: one with too many byproducts goes without the manifests, and one that has
 * too many artifacts even so is a signed failure.
 */
export function signResult(
  facts: ResultFacts,
  outcome: BuildOutcome,
  signing: { byproducts: Byproduct[]; signer: P256Signer },
): { envelope: Uint8Array; digest: Sha256; result: Result } {
  const { byproducts, signer } = signing;
  const withoutManifests = byproducts.filter(({ kind }) => kind !== "manifest");
  const candidates = [
    () => resultOf(facts, outcome, byproducts),
    () => resultOf(facts, outcome, withoutManifests),
    () => resultOf(facts, failedOutcome(outcome, tooLarge), withoutManifests),
  ];
  for (const candidate of candidates) {
    const result = candidate();
    try {
      const envelope = signStatement({ kind: "result", result }, [signer]);
      return { envelope, digest: sha256Of(envelope), result };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new Error(`signing the result of job ${facts.job.job}: even a failure does not fit into an entry of the log`);
}

const tooLarge: Failure = {
  reason: "infrastructure",
  step: "attest",
  message: "the result has too many artifacts for an entry of the log",
};

/** A failure in place of an outcome that there is no use for, built by the same builder. */
export function failedOutcome(builder: Pick<BuildOutcome, "builderVersion" | "sandboxProfile">, failure: Failure): BuildOutcome {
  const { builderVersion, sandboxProfile } = builder;
  return { kind: "failed", failure, builderVersion, sandboxProfile };
}

function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
