import { pathToFileURL } from "node:url";
import { createLogReader } from "@quorate/client/log-reader";
import { nodeHasher } from "@quorate/signing/node-hasher";
import type { Sha256 } from "@quorate/protocol/digest";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import type { VerifySignature } from "@quorate/attestation/p256";
import { policyDigestOf } from "@quorate/attestation/log-statement";
import { traceDigestOf } from "@quorate/verdict/evidence";
import type { CheckedEntry } from "@quorate/verdict/check-entry";
import { LogEvidence } from "@quorate/verdict/log-evidence";
import type { LoggedEntry } from "@quorate/verdict/logged-entry";
import { type LoadBlob, needsTrace } from "@quorate/verdict/replay-verdict";
import { ruledArtifacts } from "@quorate/verdict/ruled-artifacts";
import { type Ruling, verifyRuling } from "@quorate/verdict/ruling";
import type { SnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import type { TrustPolicy } from "@quorate/verdict/trust-policy";
import { checkAhead } from "./replay/check-ahead.ts";

export type VerdictReading = {
  /** Directory of a mirror of the log, checked up to the checkpoint. */
  readonly log: string;
  readonly checkpoint: Checkpoint;
  readonly policy: TrustPolicy;
  /** Where an earlier reading stopped. */
  readonly from: { readonly size: number; readonly carried: readonly number[]; readonly artifacts: Iterable<SnapshotArtifact> };
  readonly verify: VerifySignature;
  readonly loadBlob: LoadBlob;
  readonly onEntry: (index: number) => void;
  readonly signal: AbortSignal;
};

export type ReadVerdicts = {
  readonly artifacts: readonly SnapshotArtifact[];
  readonly carried: readonly number[];
  /** Verdicts that this reading checked, and those that wait for a build trace or an envelope. */
  readonly checked: number;
  readonly waiting: number;
};

/** Checks the verdicts that a log has added, under the reader's own policy. @throws VerificationError for a log that does not hold what it says */
export async function readVerdicts(reading: VerdictReading): Promise<ReadVerdicts> {
  const { checkpoint, policy, from, verify, loadBlob, onEntry, signal } = reading;
  const reader = createLogReader({ url: pathToFileURL(reading.log).href, hasher: nodeHasher });
  await reader.checkpoint(signal);
  const evidence = new LogEvidence({ networkKey: policy.network.key, verify, loadBlob, hasher: nodeHasher });
  const artifacts = new Map([...from.artifacts].map((artifact) => [artifact.sha256, artifact]));
  let [checked, waiting] = [0, 0];
  const take = async (index: number, bytes: Uint8Array, checkedBefore?: CheckedEntry): Promise<void> => {
    const entries = await evidence.add({ index, bytes }, checkedBefore);
    if (entries === undefined) return;
    const ruling = await rule(entries, loadBlob);
    if (ruling === undefined) return void (waiting += 1);
    checked += 1;
    evidence.settle(ruling.verdict.round);
    for (const artifact of ruledArtifacts(ruling, policy)) artifacts.set(artifact.sha256, artifact);
  };
  for (const index of from.carried) await take(index, await reader.entry(index, checkpoint.size));
  const range = { from: from.size, to: checkpoint.size, size: checkpoint.size };
  for await (const { index, entries, checked } of checkAhead({
    reader,
    range,
    networkKey: policy.network.key,
    identityKeys: evidence.identityKeys,
    signal,
  })) {
    for (const [offset, bytes] of entries.entries()) {
      await take(index + offset, bytes, checked?.[offset]);
      onEntry(index + offset);
    }
  }
  return { artifacts: [...artifacts.values()], carried: evidence.carried(), checked, waiting };
}

/** `undefined` while a build trace that the verdict compared is not to be had. */
async function rule(entries: readonly LoggedEntry[], loadBlob: LoadBlob): Promise<Ruling | undefined> {
  const traces = new Map<Sha256, Uint8Array>();
  for (const sha256 of neededTraces(entries)) {
    const bytes = await loadBlob(sha256);
    if (bytes === undefined) return undefined;
    traces.set(sha256, bytes);
  }
  return verifyRuling({ entries, traces, hasher: nodeHasher });
}

function neededTraces(entries: readonly LoggedEntry[]): Set<Sha256> {
  const verdict = entries.flatMap(({ entry: { statement } }) => (statement.kind === "verdict" ? [statement.verdict] : [])).at(-1);
  const policies = entries.flatMap(({ entry: { statement } }) => (statement.kind === "policy" ? [statement.policy] : []));
  const policy = policies.find((candidate) => policyDigestOf(candidate) === verdict?.policy);
  const digests = entries.map(({ index, entry }) => {
    const { statement, digest: envelope } = entry;
    if (statement.kind !== "result" || policy === undefined) return undefined;
    return needsTrace({ index, envelope, result: statement.result }, policy) ? traceDigestOf(statement.result) : undefined;
  });
  return new Set(digests.filter((digest) => digest !== undefined));
}
