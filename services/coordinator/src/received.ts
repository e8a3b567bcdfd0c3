import { entryKey } from "@quorate/protocol/entry";
import { parseSha256 } from "@quorate/protocol/digest";
import type { Database } from "./database.ts";
import type { Appended, NetworkLog } from "./network-log.ts";
import { saveEntry } from "./store/entries.ts";
import { findJob, saveCommitted, saveRevealed, type StoredJob } from "./store/jobs.ts";
import { deleteReceived, loadReceived, type ReceivedEnvelope } from "./store/received-envelopes.ts";

type Dependencies = { db: Database; log: NetworkLog; now: () => Date };

/** Logs an admitted envelope, unchanged, and keeps what follows from it. Repeating it changes nothing. */
export async function logReceived({ db, log, now }: Dependencies, received: ReceivedEnvelope): Promise<void> {
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
  await db.transaction(async (tx) => {
    await saveEntry(tx, appended.entry);
    await saveLogged(tx, job, { appended, fence: received.fence, at });
    await deleteReceived(tx, received);
  });
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
