import { maxTraceBytes } from "@quorate/attestation/build-trace";
import type { CoordinatorBus } from "@quorate/bus/coordinator-bus";
import type { Sha256 } from "@quorate/protocol/digest";
import { entryKey } from "@quorate/protocol/entry";
import { formatTime } from "@quorate/protocol/names";
import type { Verdict } from "@quorate/protocol/verdict";
import { type Decision, evaluate } from "@quorate/verdict/evaluate";
import { collectEvidence, traceDigestOf } from "@quorate/verdict/evidence";
import type { LoggedEntry as VerifiedEntry } from "@quorate/verdict/logged-entry";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { statementsOfVerdict } from "./artifact-statements.ts";
import type { BlobStore } from "./blob-store.ts";
import type { Database } from "./database.ts";
import type { CoordinatorEvents } from "./events.ts";
import { loadEntry } from "./large-envelope.ts";
import type { NetworkLog } from "./network-log.ts";
import { logAllReceived } from "./received.ts";
import { saveStatuses } from "./store/artifact-statuses.ts";
import { type LoggedEntry, loadEvidenceEntries, saveEntry } from "./store/entries.ts";
import { loadJobs } from "./store/jobs.ts";
import { loadPolicy } from "./store/policies.ts";
import { saveStandings } from "./store/operator-records.ts";
import { saveSettled, type StoredRound } from "./store/rounds.ts";
import { findTarget } from "./store/targets.ts";
import { findNewestVerdict, saveVerdict } from "./store/verdicts.ts";
import { saveVerdictMessages } from "./store/webhooks.ts";

type Dependencies = {
  db: Database;
  log: NetworkLog;
  blobs: BlobStore;
  bus: Pick<CoordinatorBus, "sendControl">;
  events: CoordinatorEvents;
  now: () => Date;
};

/** Reaches the verdict of a round that takes no more evidence, logs it, and keeps it. */
export async function settleRound(dependencies: Dependencies, round: StoredRound): Promise<void> {
  const { db, log, events, now } = dependencies;
  await logAllReceived(dependencies, round.round, "result");
  const [target, policy, stored, earlier] = await Promise.all([
    findTarget(db, round.target),
    loadPolicy(db, round.policy),
    loadRoundEntries(db, round),
    findNewestVerdict(db, round.target),
  ]);
  if (!target) throw new Error(`settling round ${round.round}: its target ${round.target} is not in the database`);
  const entries = await loadVerifiedEntries(dependencies.blobs, stored);
  const traces = await loadTraces(dependencies.blobs, entries);

  const decision = evaluate(collectEvidence({ roundId: round.round, entries, traces, closed: true, hasher: nodeHasher }), policy);
  if (decision.kind === "undecided") throw new Error(`settling round ${round.round}: a closed round has no verdict`);
  const verdict = verdictOf(decision, round, { decidedAt: now(), supersedes: earlier?.index });

  const { entry, statement } = await log.appendSigned(
    { kind: "verdict", verdict },
    { key: entryKey.verdict(round.round), wait: "published", round: round.round, target: round.target },
  );
  await db.transaction(async (tx) => {
    await saveEntry(tx, entry);
    const settled = { verdict: statement.verdict, index: entry.index };
    await saveVerdict(tx, settled, target.target);
    await saveVerdictMessages(tx, settled, target.target, now());
    const stated = { says: "network", entry: entry.index, at: now(), target: target.target };
    await saveStatuses(tx, stated, statementsOfVerdict(statement.verdict));
    await saveStandings(tx, statement.verdict);
    await saveSettled(tx, round.round, now());
  });
  events.settled(round.round, statement.verdict, entry.index);
  await cancelUnfinished(dependencies, round);
}

/** All entries that a verdict on the round may look at, in log order. */
export async function loadRoundEntries(db: Database, round: StoredRound): Promise<LoggedEntry[]> {
  const jobs = await loadJobs(db, [round.round]);
  return loadEvidenceEntries(db, {
    round: round.round,
    target: round.target,
    policyKey: entryKey.policy(round.policy),
    operators: jobs.map(({ operator }) => operator),
  });
}

/** What they say. Signatures were verified before the entries were logged. */
export async function loadVerifiedEntries(blobs: BlobStore, entries: readonly LoggedEntry[]): Promise<VerifiedEntry[]> {
  return await Promise.all(entries.map(async ({ index, envelope }) => ({ index, entry: await loadEntry(envelope, blobs) })));
}

function verdictOf(
  decision: Extract<Decision, { kind: "decided" }>,
  round: StoredRound,
  when: { decidedAt: Date; supersedes: number | undefined },
): Verdict {
  const { outcome, reason, artifacts, dissent, inputs } = decision;
  const decidedAt = formatTime(when.decidedAt);
  const { target, policy } = round;
  return { target, round: round.round, policy, outcome, reason, artifacts, dissent, inputs, decidedAt, supersedes: when.supersedes };
}

/** The build traces that results name, by digest: admission saw to it that they were uploaded. */
export async function loadTraces(blobs: BlobStore, entries: readonly VerifiedEntry[]): Promise<Map<Sha256, Uint8Array>> {
  const traces = new Map<Sha256, Uint8Array>();
  for (const { entry } of entries) {
    const digest = entry.statement.kind === "result" ? traceDigestOf(entry.statement.result) : undefined;
    if (digest !== undefined) traces.set(digest, await blobs.load(digest, maxTraceBytes));
  }
  return traces;
}

/** Whoever still builds need not: best effort. */
async function cancelUnfinished({ db, bus }: Pick<Dependencies, "db" | "bus">, { round }: StoredRound): Promise<void> {
  for (const { job, operator, outcome } of await loadJobs(db, [round])) {
    if (!outcome) bus.sendControl(operator, { kind: "cancel", job, round });
  }
}
