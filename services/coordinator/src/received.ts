import { entryKey } from "@quorate/protocol/entry";
import { parseSha256 } from "@quorate/protocol/digest";
import { keysAt } from "@quorate/verdict/enrolled";
import { statementsOfResult } from "./artifact-statements.ts";
import type { BlobStore } from "./blob-store.ts";
import type { Database } from "./database.ts";
import { loadEntry } from "./large-envelope.ts";
import { linkedFiles, loadLinks } from "./links.ts";
import type { Appended, NetworkLog } from "./network-log.ts";
import { recordOf } from "./result-record.ts";
import { saveStatuses } from "./store/artifact-statuses.ts";
import { saveEntry } from "./store/entries.ts";
import { findJob, saveCommitted, saveRevealed, type StoredJob } from "./store/jobs.ts";
import { findOperator } from "./store/operators.ts";
import { deleteReceived, loadReceived, loadReceivedOf, type ReceivedEnvelope } from "./store/received-envelopes.ts";
import { findTarget } from "./store/targets.ts";

type Dependencies = { db: Database; log: NetworkLog; blobs: Pick<BlobStore, "load">; now: () => Date };

/** Logs an admitted envelope, unchanged, and keeps what follows from it. Repeating it changes nothing. */
export async function logReceived(dependencies: Dependencies, received: ReceivedEnvelope): Promise<void> {
  const { db, log, now } = dependencies;
  const job = await findJob(db, received.job);
  if (!job) throw new Error(`logging the ${received.kind} of job ${received.job}: the job is not in the database`);
  const appended = await log.append({
    key: entryKey[received.kind](job.round, job.operator),
    kind: received.kind,
    envelope: received.envelope,
    wait: "sequenced",
    round: job.round,
    operator: job.operator,
  });
  const at = now();
  const followed = await followResult(dependencies, appended);
  await db.transaction(async (tx) => {
    await saveEntry(tx, appended.entry);
    await saveLogged(tx, job, { appended, recordIndex: followed?.recordIndex, fence: received.fence, at });
    if (followed) {
      const stated = { says: job.operator, entry: appended.entry.index, at, target: followed.target };
      await saveStatuses(tx, stated, followed.statements);
    }
    await deleteReceived(tx, received);
  });
}

/**
 * Follows a result with the record of its signature, by which Sigstore's clients find it in the log; and reads what the result says of the
 * artifacts of its target, and which of them the operator signed a link for.
 */
async function followResult({ db, log, blobs }: Dependencies, { entry, statement }: Appended) {
  if (statement.kind !== "result") return undefined;
  const { result } = statement;
  const { index } = entry;
  const [stored, operator] = await Promise.all([findTarget(db, result.target), findOperator(db, result.operator)]);
  if (!stored || !operator) throw new Error(`keeping the result at index ${index}: its target or its operator is not in the database`);
  const { envelope } = await loadEntry(entry.envelope, blobs);
  const record = recordOf(envelope, operator, index);
  const recordIndex = await log.record({ key: entryKey.record(result.round, result.operator), record });
  const linked = linkedFiles(result, await loadLinks(blobs, result), keysAt(operator, index));
  return { recordIndex, target: stored.target, statements: statementsOfResult({ result, index }, stored.target, linked) };
}

/** Logs what was admitted and not yet logged: left by a crash, or on its way at this moment. */
export async function logAllReceived(dependencies: Dependencies, round: string, kind: ReceivedEnvelope["kind"]): Promise<void> {
  const received = await loadReceived(dependencies.db, parseSha256(round), kind);
  await Promise.all(received.map((envelope) => logReceived(dependencies, envelope)));
}

/** As `logAllReceived`, for one operator. */
export async function logAllReceivedOf(dependencies: Dependencies, operator: string): Promise<void> {
  const received = await loadReceivedOf(dependencies.db, operator);
  await Promise.all(received.map((envelope) => logReceived(dependencies, envelope)));
}

/** The log's answer counts: it may hold an earlier commitment of this operator than the one that was sent again. */
async function saveLogged(
  db: Parameters<typeof saveCommitted>[0],
  { job }: StoredJob,
  {
    appended: { entry, statement },
    recordIndex,
    fence,
    at,
  }: { appended: Appended; recordIndex: number | undefined; fence: number; at: Date },
): Promise<void> {
  if (statement.kind === "commitment") {
    const committedEnvelope = statement.commitment.envelope;
    await saveCommitted(db, job, { fence, committedAt: at, commitmentIndex: entry.index, committedEnvelope });
  }
  if (statement.kind === "result") {
    const { outcome, startedAt, finishedAt } = statement.result;
    const buildSeconds = Math.max(0, Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000));
    await saveRevealed(db, job, { revealedAt: at, resultIndex: entry.index, recordIndex, outcome, buildSeconds });
  }
}
