import { type Entry, openLargeEnvelope, parseEntry } from "@quorate/attestation/log-statement";
import type { VerifySignature } from "@quorate/attestation/p256";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import type { ExpectedArtifact, Target } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import type { Verdict } from "@quorate/protocol/verdict";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import type { NoteVerify } from "@quorate/tlog/note-verify";
import { parseHash } from "@quorate/tlog/hash";
import { type Hasher, leafHash, verifyInclusion } from "@quorate/tlog/merkle";
import { type Witnessed, verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type EntryKeys, namedKey, verifyEntrySigners } from "./entry-signers.ts";
import type { Proof } from "./proof.ts";
import { type Ruling, type Voucher, verifyRuling, verifyVouchers } from "./ruling.ts";
import type { TrustPolicy } from "./trust-policy.ts";

/** From an artifact to the parties who vouch for it. */
export type Chain = {
  readonly artifact: ExpectedArtifact;
  readonly target: Target;
  readonly verdict: Verdict;
  readonly verdictIndex: number;
  /** Everybody whose result the verdict looked at; `counted` are those of the reader's own operators that agree on this artifact. */
  readonly operators: readonly Voucher[];
  readonly checkpoint: Checkpoint;
  readonly witnesses: readonly Witnessed[];
};

/** What is checked of a proof, in this order. */
export type ProofStep = "checkpoint" | "inclusion" | "signatures" | "verdict" | "operators";

export type ProofClaim = {
  readonly proof: Proof;
  /** The reader's own: nothing in a proof can widen it. */
  readonly policy: TrustPolicy;
  readonly artifactSha256: Sha256;
  /** File name, where the reader knows it and it must match too. */
  readonly artifactName?: string;
  readonly verify: VerifySignature;
  readonly verifyNoteSignature: NoteVerify;
  readonly hasher?: Hasher;
  /** Called after each step that holds. */
  readonly onVerified?: (step: ProofStep) => void;
};

/** What a proof shows, whatever the verdict: it is in the log, and it is the one that its evidence gives. */
export type VerifiedVerdict = Ruling & { readonly checkpoint: Checkpoint; readonly witnesses: readonly Witnessed[] };

/**
 * Checks offline that an artifact is reproduced, under the reader's own policy: the checkpoint and its witnesses; that every entry is in the
 * log; who signed each; that the evidence is complete and gives the logged verdict; and that enough of the reader's own operators built this
 * very file.
 *
 * @throws VerificationError with the reason
 * @throws ParseError for an entry or a hash that is malformed
 */
export function verifyProof(claim: ProofClaim): Chain {
  const verified = verifyVerdict(claim);
  const { evidence, verdict, verdictIndex, checkpoint, witnesses } = verified;
  const artifact = artifactOf(claim, evidence.target);
  const operators = verifyVouchers(verified, artifact, claim.policy);
  claim.onVerified?.("operators");
  return { artifact, target: evidence.target, verdict, verdictIndex, operators, checkpoint, witnesses };
}

/**
 * As `verifyProof` without its last step: checks that the verdict is logged and is what its evidence gives, be it `reproduced` or not.
 *
 * @throws VerificationError with the reason
 * @throws ParseError for an entry or a hash that is malformed
 */
export function verifyVerdict(claim: Omit<ProofClaim, "artifactSha256" | "artifactName">): VerifiedVerdict {
  const { proof, policy, verify, verifyNoteSignature, hasher, onVerified } = claim;
  const { checkpoint, witnesses } = verifyCosignedCheckpoint(proof.checkpoint, policy.witnessPolicy, verifyNoteSignature);
  onVerified?.("checkpoint");
  const entries = proof.entries.flatMap((entry) => includedEntries(entry, checkpoint, hasher));
  refuseRepeats(proof.entries);
  onVerified?.("inclusion");
  verifySigners(entries, policy.network.key, verify);
  onVerified?.("signatures");
  const traces = new Map(proof.traces.map(({ sha256, text }) => [sha256, utf8(text)]));
  const ruling = verifyRuling({ entries, traces, hasher });
  onVerified?.("verdict");
  return { ...ruling, checkpoint, witnesses };
}

type ProofEntry = Proof["entries"][number];
type IncludedEntry = { readonly index: number; readonly entry: Entry };

/** The entry, and what is said by the large envelope that it names. */
function includedEntries({ index, envelope, inclusion, large }: ProofEntry, checkpoint: Checkpoint, hasher?: Hasher): IncludedEntry[] {
  const bytes = utf8(envelope);
  const proof = inclusion.map((hash) => parseHash("hash of an inclusion proof", hash));
  verifyInclusion({ index, size: checkpoint.size, root: checkpoint.root, leaf: leafHash(bytes, hasher), proof, ...(hasher && { hasher }) });
  const entry = parseEntry(bytes);
  const { statement } = entry;
  if (statement.kind !== "large-envelope" && large === undefined) return [{ index, entry }];
  if (statement.kind !== "large-envelope" || large === undefined) throw refusal(`entry ${index} and its large envelope are not both in it`);
  return [
    { index, entry },
    { index, entry: openLargeEnvelope(statement.large, utf8(large)) },
  ];
}

function refuseRepeats(entries: readonly ProofEntry[]): void {
  const seen = new Set<number>();
  for (const { index } of entries) {
    if (seen.has(index)) throw refusal(`it has entry ${index} twice`);
    seen.add(index);
  }
}

/** In log order: an entry is signed with the key that its operator had there. */
function verifySigners(entries: readonly IncludedEntry[], networkKey: Uint8Array, verify: VerifySignature): void {
  const identityKeys = new Map<OperatorId, Uint8Array>();
  const keys: EntryKeys = { networkKey, keyOf: (operator) => identityKeys.get(operator) };
  for (const { index, entry } of entries.toSorted((a, b) => a.index - b.index)) {
    verifySignersOf(index, entry, keys, verify);
    const predicate = entry.statement.kind === "operator" ? entry.statement.predicate : undefined;
    if (predicate && predicate.action !== "revoke") identityKeys.set(predicate.operator, namedKey(predicate, networkKey));
  }
}

function verifySignersOf(index: number, entry: Entry, keys: EntryKeys, verify: VerifySignature): void {
  try {
    verifyEntrySigners(entry, keys, verify);
  } catch (cause) {
    if (cause instanceof VerificationError) throw refusal(`entry ${index}: ${cause.message}`, cause);
    throw cause;
  }
}

function artifactOf({ artifactSha256, artifactName }: ProofClaim, target: Target): ExpectedArtifact {
  const named = target.artifacts.find(({ file }) => file === artifactName);
  const artifact = target.artifacts.find(
    ({ sha256, file }) => sha256 === artifactSha256 && (artifactName === undefined || file === artifactName),
  );
  if (artifact === undefined && named !== undefined) {
    throw refusal(`${named.file} has digest ${artifactSha256}, and the one that was rebuilt has ${named.sha256}: this is another file`);
  }
  const about = `${target.source} ${target.version} for ${target.architecture}`;
  if (artifact === undefined) throw refusal(`it is about ${about}, which has no file ${artifactName ?? ""} with digest ${artifactSha256}`);
  return artifact;
}

function refusal(reason: string, cause?: unknown): VerificationError {
  return new VerificationError(`verifying a proof: ${reason}`, { cause });
}
