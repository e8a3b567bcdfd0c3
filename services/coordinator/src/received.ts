import { entryKey } from "@quorate/protocol/entry";
import { parseSha256 } from "@quorate/protocol/digest";
import { keysAt } from "@quorate/verdict/enrolled";
import { statementsOfResult } from "./artifact-statements.ts";
import type { BlobStore } from "./blob-store.ts";
import type { Database } from "./database.ts";
import { linkedFiles, loadLinks } from "./links.ts";
import type { Appended, NetworkLog } from "./network-log.ts";
import { saveStatuses } from "./store/artifact-statuses.ts";
import { saveEntry } from "./store/entries.ts";
import { findJob, saveCommitted, saveRevealed, type StoredJob } from "./store/jobs.ts";
import { findOperator } from "./store/operators.ts";
import { deleteReceived, loadReceived, type ReceivedEnvelope } from "./store/received-envelopes.ts";
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
  const said = await statementsOf(dependencies, appended);
  await db.transaction(async (tx) => {
    await saveEntry(tx, appended.entry);
    await saveLogged(tx, job, { appended, fence: received.fence, at });
    if (said) await saveStatuses(tx, { ...said, at }, said.statements);
    await deleteReceived(tx, received);
  });
}

/** What a result says of the artifacts of its target, and which of them the operator signed a link for. */
async function statementsOf({ db, blobs }: Dependencies, { entry: { index }, statement }: Appended) {
  if (statement.kind !== "result") return undefined;
  const { result } = statement;
  const [stored, operator] = await Promise.all([findTarget(db, result.target), findOperator(db, result.operator)]);
  if (!stored || !operator) throw new Error(`keeping the result at index ${index}: its target or its operator is not in the database`);
  const links = await loadLinks(blobs, result);
  const linked = linkedFiles(result, links, keysAt(operator, index));
  return {
    says: result.operator,
    entry: index,
    target: stored.target,
    statements: statementsOfResult({ result, index }, stored.target, linked),
  };
}

/** Logs what was admitted and not yet logged: left by a crash, or on its way at this moment. */
export async function logAllReceived(dependencies: Dependencies, round: string, kind: ReceivedEnvelope["kind"]): Promise<void> {
  const received = await loadReceived(dependencies.db, parseSha256(round), kind);
  await Promise.all(received.map((envelope) => logReceived(dependencies, envelope)));
}

/** The log's answer counts: it may hold an earlier commitment of this operator than the one that was sent again. */
async function saveLogged(
  db: Parameters<typeof saveCommitted>[0],
  { job }: StoredJob,
  { appended: { entry, statement }, fence, at }: { appended: Appended; fence: number; at: Date },
): Promise<void> {
  if (statement.kind === "commitment") {
    const committedEnvelope = statement.commitment.envelope;
    await saveCommitted(db, job, { fence, committedAt: at, commitmentIndex: entry.index, committedEnvelope });
  }
  if (statement.kind === "result") {
    const { outcome, startedAt, finishedAt } = statement.result;
    const buildSeconds = Math.max(0, Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000));
    await saveRevealed(db, job, { revealedAt: at, resultIndex: entry.index, outcome, buildSeconds });
  }
}
