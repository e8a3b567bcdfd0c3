import { maxSignatureBytes } from "@quorate/attestation/certified-signature";
import { formatEnvelope } from "@quorate/attestation/dsse";
import { formatStatement } from "@quorate/attestation/log-statement";
import { traceSummaryOf } from "@quorate/attestation/build-trace";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { type JobMessage, maxReportedEnvelopeBytes } from "@quorate/protocol/job";
import { formatTime } from "@quorate/protocol/names";
import type { OperatorId } from "@quorate/protocol/operator";
import { type Byproduct, type Failure, type Result, resultSchema } from "@quorate/protocol/result";
import { environmentPinDigestOf, type Target } from "@quorate/protocol/target";
import { signOperatorStatement } from "@quorate/signing/envelope";
import type { OperatorSigner } from "@quorate/signing/operator-signer";
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
export async function signResult(
  facts: ResultFacts,
  outcome: BuildOutcome,
  { byproducts, signer }: { byproducts: Byproduct[]; signer: OperatorSigner },
): Promise<{ envelope: Uint8Array; digest: Sha256; result: Result }> {
  const result = loggableResult(facts, outcome, byproducts);
  const envelope = await signOperatorStatement({ kind: "result", result }, [signer]);
  return { envelope, digest: sha256Of(envelope), result };
}

function loggableResult(facts: ResultFacts, outcome: BuildOutcome, byproducts: Byproduct[]): Result {
  const withoutManifests = byproducts.filter(({ kind }) => kind !== "manifest");
  const refusals: unknown[] = [];
  for (const candidate of [() => resultOf(facts, outcome, byproducts), () => resultOf(facts, outcome, withoutManifests)]) {
    try {
      return checkResult(candidate());
    } catch (error) {
      refusals.push(error);
    }
  }
  const message = plainLine(`the result cannot be logged: ${String(refusals.at(-1))}`, 500);
  const builder = { builderVersion: {}, sandboxProfile: "none" };
  return checkResult(resultOf(facts, failedOutcome(builder, { reason: "infrastructure", step: "attest", message }), []));
}

/** @throws Error when it is not what readers take, or too large to be sent: an executor may say anything */
function checkResult(result: Result): Result {
  const checked = resultSchema.safeParse(result);
  const issue = checked.error?.issues[0];
  if (!checked.success) throw new Error(`${issue?.path.join(".")}: ${issue?.message}`);
  const payload = formatStatement({ kind: "result", result: checked.data });
  const envelopeBytes = formatEnvelope({ payload, signatures: [new Uint8Array(maxSignatureBytes)] }).length;
  if (envelopeBytes > maxReportedEnvelopeBytes) {
    throw new Error(`its envelope has ${envelopeBytes} bytes, and a report at most ${maxReportedEnvelopeBytes}`);
  }
  return checked.data;
}

/** A failure in place of an outcome that there is no use for, built by the same builder. */
export function failedOutcome(builder: Pick<BuildOutcome, "builderVersion" | "sandboxProfile">, failure: Failure): BuildOutcome {
  const { builderVersion, sandboxProfile } = builder;
  return { kind: "failed", failure, builderVersion, sandboxProfile };
}
