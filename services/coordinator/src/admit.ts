import { verifyEnvelope } from "@quorate/attestation/dsse";
import { type Entry, parseSignedStatement } from "@quorate/attestation/log-statement";
import type { VerifySignature } from "@quorate/attestation/p256";
import type { Commitment } from "@quorate/protocol/commitment";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import type { Result } from "@quorate/protocol/result";
import type { RoundState } from "@quorate/protocol/submission";
import { environmentPinDigestOf, type Target } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { parseBase64 } from "@quorate/tlog/base64";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type Enrolled, keysAt } from "@quorate/verdict/enrolled";

/** What a report is held against. The transport proves nothing: only the signature inside the envelope does. */
export type AdmissionFacts = {
  round: { round: Sha256; target: Sha256; state: RoundState };
  target: Target;
  job: { operator: OperatorId; fence: number; committedEnvelope?: Sha256 | undefined; resultIndex?: number | undefined };
  operator: Enrolled;
  verify: VerifySignature;
};

export type Refusal = {
  kind: "refuse";
  rule:
    | "stale-fence"
    | "wrong-state"
    | "revoked"
    | "malformed"
    | "forged"
    | "not-this-job"
    | "already-committed"
    | "not-committed"
    | "missing-blob";
  detail: string;
};

export type Admission<Admitted> = ({ kind: "admit"; envelope: Uint8Array; digest: Sha256 } & Admitted) | { kind: "repeat" } | Refusal;

/** A report that is older than the lease that the operator has now comes from a worker that has lost the job. */
export function admitFence(fence: number, job: { fence: number }): Refusal | undefined {
  if (fence >= job.fence) return undefined;
  return refuse("stale-fence", `its fence ${fence} is older than ${job.fence}: the job was given to another worker since`);
}

/** Whether a commitment may be logged: signed by the job's operator, for this job, in time, and the first. */
export function admitCommitment(report: { envelope: string; fence: number }, facts: AdmissionFacts): Admission<{ commitment: Commitment }> {
  const { round, job } = facts;
  const signed = admitSigned(report, facts);
  if (signed.kind === "refuse") return signed;
  const { statement, digest } = signed.entry;
  if (statement.kind !== "commitment") return refuse("malformed", `it is a ${statement.kind} statement, not a commitment`);
  const { commitment } = statement;
  if (commitment.round !== round.round || commitment.operator !== job.operator || commitment.fence !== report.fence) {
    return refuse("not-this-job", "its round, operator or fence is not that of the job");
  }
  if (job.committedEnvelope !== undefined) {
    return job.committedEnvelope === commitment.envelope
      ? { kind: "repeat" }
      : refuse("already-committed", `the operator is bound to ${job.committedEnvelope} already`);
  }
  if (round.state !== "building")
    return refuse("wrong-state", `the round is ${round.state}: commitments are taken until the reveal starts`);
  return { kind: "admit", envelope: signed.bytes, digest, commitment };
}

/** Whether a result may be logged: signed by the job's operator, about this round, and exactly what was committed to. */
export function admitResult(report: { envelope: string; fence: number }, facts: AdmissionFacts): Admission<{ result: Result }> {
  const { round, job } = facts;
  if (job.resultIndex !== undefined) return { kind: "repeat" };
  const signed = admitSigned(report, facts);
  if (signed.kind === "refuse") return signed;
  const { statement, digest } = signed.entry;
  if (statement.kind !== "result") return refuse("malformed", `it is a ${statement.kind} statement, not a result`);
  const { result } = statement;
  if (result.round !== round.round || result.target !== round.target || result.operator !== job.operator) {
    return refuse("not-this-job", "its round, target or operator is not that of the job");
  }
  const different = differenceFrom(facts.target, result);
  if (different !== undefined) return refuse("not-this-job", different);
  if (job.committedEnvelope === undefined) return refuse("not-committed", "the operator has not committed to a result");
  if (job.committedEnvelope !== digest) {
    return refuse("not-committed", `its digest is ${digest}, and the operator is bound to ${job.committedEnvelope}`);
  }
  if (round.state !== "revealing") return refuse("wrong-state", `the round is ${round.state}: results are taken during the reveal`);
  return { kind: "admit", envelope: signed.bytes, digest, result };
}

/** What a result says again of its target must be so: whoever replays the log refuses one that says otherwise. */
function differenceFrom(target: Target, result: Result): string | undefined {
  const names = ["distribution", "suite", "source", "version", "architecture"] as const;
  const name = names.find((name) => result[name] !== target[name]);
  if (name !== undefined) return `it is of ${name} ${result[name]}, and the target of ${target[name]}`;
  const pin = environmentPinDigestOf(target.environment);
  return result.environment === pin ? undefined : `it is of environment ${result.environment}, and the target's is ${pin}`;
}

function admitSigned(
  report: { envelope: string; fence: number },
  { job, operator, verify }: AdmissionFacts,
): { kind: "signed"; entry: Entry; bytes: Uint8Array } | Refusal {
  const stale = admitFence(report.fence, job);
  if (stale) return stale;
  if (operator.revokedAt !== undefined) return refuse("revoked", `the operator was revoked by entry ${operator.revokedAt} of the log`);
  try {
    const bytes = utf8(report.envelope);
    const entry = parseSignedStatement(bytes);
    verifyEnvelope(entry.envelope, [parseBase64("identity key", keysAt(operator).identityKey)], verify);
    return { kind: "signed", entry, bytes };
  } catch (error) {
    if (error instanceof ParseError) return refuse("malformed", error.message);
    if (error instanceof VerificationError) return refuse("forged", error.message);
    throw error;
  }
}

function refuse(rule: Refusal["rule"], detail: string): Refusal {
  return { kind: "refuse", rule, detail };
}
