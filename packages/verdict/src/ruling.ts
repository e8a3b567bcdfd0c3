import { policyDigestOf } from "@quorate/attestation/log-statement";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";
import type { ExpectedArtifact } from "@quorate/protocol/target";
import type { Verdict } from "@quorate/protocol/verdict";
import type { Hasher } from "@quorate/tlog/merkle";
import { VerificationError } from "@quorate/tlog/verification-error";
import { evaluate } from "./evaluate.ts";
import { type Evidence, collectEvidence } from "./evidence.ts";
import { hasIndependent } from "./independence.ts";
import type { LoggedEntry } from "./logged-entry.ts";
import { claimedDigest } from "./standing.ts";
import type { TrustPolicy } from "./trust-policy.ts";
import { differenceOf } from "./verdict-difference.ts";

/** A logged verdict that its evidence gives. */
export type Ruling = {
  readonly verdict: Verdict;
  readonly verdictIndex: number;
  readonly evidence: Evidence;
  /** The network's, under which the verdict was reached. */
  readonly networkPolicy: Policy;
};

export type RulingClaim = {
  /** One verdict, and all that it was reached from: in the log, and with signatures that are verified. */
  readonly entries: readonly LoggedEntry[];
  /** Bytes of build traces by their SHA-256. */
  readonly traces: ReadonlyMap<Sha256, Uint8Array>;
  readonly hasher?: Hasher | undefined;
};

/** Recomputes the one verdict among these entries. @throws VerificationError when it is not what they give, or they are not complete */
export function verifyRuling({ entries, traces, hasher }: RulingClaim): Ruling {
  const { index: verdictIndex, verdict } = onlyVerdict(entries);
  const evidence = collectEvidence({
    entries,
    roundId: verdict.round,
    traces,
    closed: true,
    before: verdictIndex,
    ...(hasher && { hasher }),
  });
  const missing = verdict.inputs.find(({ index }) => !evidence.results.some((result) => result.index === index));
  if (missing !== undefined) throw refusal(`the result at index ${missing.index}, which the verdict looked at, is missing`);
  if (evidence.targetDigest !== verdict.target) throw refusal("the verdict's target is not its round's");
  const networkPolicy = policyOf(entries, verdict);
  if (evidence.round.policy !== verdict.policy) throw refusal("the verdict is under another policy than its round");
  const decision = evaluate(evidence, networkPolicy);
  const difference = decision.kind === "decided" ? differenceOf(verdict, decision) : "nothing is decided";
  if (difference !== undefined) throw refusal(`the logged verdict is not what its evidence gives: ${difference}`);
  return { verdict, verdictIndex, evidence, networkPolicy };
}

/** Who has a result that the verdict looked at; `counted` are the reader's own operators that built this very artifact. */
export type Voucher = { readonly name: string; readonly id: OperatorId; readonly index: number; readonly counted: boolean };

/**
 * The reader's own operators behind an artifact that a verdict calls reproduced.
 *
 * @throws VerificationError when the verdict says something else, or they are fewer than the reader's threshold
 */
export function verifyVouchers(ruling: Ruling, artifact: ExpectedArtifact, policy: TrustPolicy): readonly Voucher[] {
  const { verdict } = ruling;
  const ruled = verdict.artifacts.find(({ file }) => file === artifact.file);
  if (ruled?.outcome !== "reproduced") {
    const reason = verdict.reason === undefined ? "" : ` (${verdict.reason})`;
    throw refusal(`the verdict on ${artifact.file} is ${ruled?.outcome ?? "missing"}${reason}`);
  }
  const vouchers = vouchersOf(ruling, artifact, policy);
  const counted = vouchers.filter((voucher) => voucher.counted);
  if (areEnough(counted, ruling, policy)) return vouchers;
  const names = [...new Set(counted.map(({ name }) => name))].join(", ") || "none";
  const needed = `${policy.threshold} of the ${policy.operators.length} operators of your policy are needed`;
  throw refusal(`${needed}, independent of each other, and those that rebuilt ${artifact.file} bit for bit are: ${names}`);
}

/**
 * Digest of the manifest on which as many of an artifact's vouchers agree as the reader's threshold; `undefined` when there is none. A
 * manifest is a pure function of its artifact, but whoever has only an installed system has nothing to compute it from.
 */
export function agreedManifest(ruling: Ruling, artifact: ExpectedArtifact, policy: TrustPolicy): Sha256 | undefined {
  const counted = vouchersOf(ruling, artifact, policy).filter((voucher) => voucher.counted);
  const named = Map.groupBy(counted, ({ index }) => manifestIn(ruling, index, artifact.file));
  for (const [sha256, vouchers] of named) if (sha256 !== undefined && areEnough(vouchers, ruling, policy)) return sha256;
  return undefined;
}

function manifestIn({ evidence }: Ruling, index: number, file: string): Sha256 | undefined {
  const result = evidence.results.find((logged) => logged.index === index)?.result;
  return result?.byproducts.find(({ kind, name }) => kind === "manifest" && name === file)?.sha256;
}

function vouchersOf({ verdict, evidence }: Ruling, artifact: ExpectedArtifact, policy: TrustPolicy): Voucher[] {
  return verdict.inputs.map(({ index, operator, standing }) => {
    const trusted = policy.operators.find(({ id }) => id === operator);
    const result = evidence.results.find((logged) => logged.index === index)?.result;
    const agrees = result !== undefined && claimedDigest(result, artifact.file) === artifact.sha256;
    const name = trusted?.name ?? evidence.enrolled.get(operator)?.enrolment.name ?? operator;
    return { name, id: operator, index, counted: trusted !== undefined && standing === "counted" && agrees };
  });
}

/** The reader's threshold, over the reader's operators; the network's policy says only which of them count once together. */
function areEnough(counted: readonly Voucher[], { evidence, networkPolicy }: Ruling, { threshold }: TrustPolicy): boolean {
  const enrolments = counted.flatMap(({ id }) => evidence.enrolled.get(id)?.enrolment ?? []);
  return hasIndependent(enrolments, threshold, networkPolicy.countOnceBy);
}

function onlyVerdict(entries: readonly LoggedEntry[]): { index: number; verdict: Verdict } {
  const verdicts = entries.flatMap(({ index, entry: { statement } }) =>
    statement.kind === "verdict" ? [{ index, verdict: statement.verdict }] : [],
  );
  const [first] = verdicts;
  if (first === undefined || verdicts.length > 1) throw refusal(`there are ${verdicts.length} verdicts instead of one`);
  return first;
}

function policyOf(entries: readonly LoggedEntry[], verdict: Verdict): Policy {
  for (const { entry } of entries) {
    if (entry.statement.kind === "policy" && policyDigestOf(entry.statement.policy) === verdict.policy) return entry.statement.policy;
  }
  throw refusal(`the policy ${verdict.policy}, which the verdict is under, is missing`);
}

function refusal(reason: string): VerificationError {
  return new VerificationError(`verifying a verdict: ${reason}`);
}
