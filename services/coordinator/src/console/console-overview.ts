import { statfs } from "node:fs/promises";
import type { Sha256 } from "@quorate/protocol/digest";
import type { Target } from "@quorate/protocol/target";
import type { WorkerView } from "@quorate/protocol/worker";
import type { LogReader } from "@quorate/client/log-reader";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { parseNote } from "@quorate/tlog/note";
import { evaluateWitnessQuorum, type WitnessPolicy } from "@quorate/tlog/tlog-policy";
import type { Database } from "../database.ts";
import type { LiveBoard } from "../live-board.ts";
import { type AuditEntry, loadAuditEntries } from "../store/audit-entries.ts";
import { loadJobs } from "../store/jobs.ts";
import { loadNetworkMode, type NetworkMode } from "../store/network-mode.ts";
import { countPending } from "../store/operator-statements.ts";
import { loadOperators } from "../store/operators.ts";
import { countRounds, loadUnsettledRounds } from "../store/rounds.ts";
import { loadTargets } from "../store/targets.ts";
import { loadTargetsWithoutStanding } from "../store/verdicts.ts";
import { loadWorkers, workerViewOf } from "../store/workers.ts";
import { planNewRounds } from "../submit.ts";
import { explainRound, type RoundWait } from "./explain-round.ts";

export type ConsoleRound = { readonly round: Sha256; readonly label: string; readonly state: string; readonly since: Date };

/** Everything that the console shows, at one moment. */
export type ConsoleOverview = {
  readonly mode: NetworkMode;
  readonly modeSince: Date | undefined;
  readonly counts: Awaited<ReturnType<typeof countRounds>>;
  /** Those that are stuck first, then by age. */
  readonly rounds: readonly (ConsoleRound & RoundWait)[];
  /** Settled with a verdict that says only that something got in the way. */
  readonly retryable: readonly ConsoleRound[];
  readonly workers: readonly (WorkerView & { readonly operatorName: string })[];
  readonly operatorsPending: number;
  readonly log: { readonly size: number; readonly witnesses: readonly ConsoleWitness[] } | { readonly problem: string };
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number };
  readonly audit: readonly AuditEntry[];
};

/** `cosignedAt` is absent for a witness that has not cosigned the newest checkpoint. */
export type ConsoleWitness = { readonly name: string; readonly cosignedAt: Date | undefined };

export type OverviewSources = {
  db: Database;
  board: LiveBoard;
  reader: Pick<LogReader, "checkpoint">;
  witnessPolicy: WitnessPolicy;
  dataDirectory: string;
  silenceSeconds: number;
  /** Before this, nobody could be heard. */
  listeningSince: Date;
  now: () => Date;
};

const shownRounds = 100;
const shownAudit = 50;
const logMilliseconds = 3_000;

type Operators = Awaited<ReturnType<typeof loadOperators>>;

export async function loadOverview(sources: OverviewSources): Promise<ConsoleOverview> {
  const { db, dataDirectory } = sources;
  const operators = await loadOperators(db);
  const [mode, counts, rounds, retryable, workers, operatorsPending, log, space, audit] = await Promise.all([
    loadNetworkMode(db),
    countRounds(db),
    loadWaits(sources, operators),
    loadRetryable(sources),
    loadWorkersShown(sources, operators),
    countPending(db),
    lookAtLog(sources),
    statfs(dataDirectory),
    loadAuditEntries(db, shownAudit),
  ]);
  const disk = { freeBytes: space.bavail * space.bsize, totalBytes: space.blocks * space.bsize };
  return { mode: mode.mode, modeSince: mode.since, counts, rounds, retryable, workers, operatorsPending, log, disk, audit };
}

async function loadWaits(
  { db, board, silenceSeconds, listeningSince, now }: OverviewSources,
  operators: Operators,
): Promise<ConsoleOverview["rounds"]> {
  const unsettled = await loadUnsettledRounds(db, shownRounds);
  const [targets, jobs] = await Promise.all([
    loadTargets(
      db,
      unsettled.map(({ target }) => target),
    ),
    loadJobs(
      db,
      unsettled.map(({ round }) => round),
    ),
  ]);
  const jobsNow = jobs.map((job) => ({
    ...job,
    heardAt: board.lastSign(job) ?? listeningSince,
    operatorName: operators.get(job.operator)?.enrolment.name ?? job.operator,
  }));
  const waits = unsettled.map((round) => {
    const facts = { ...round, jobs: jobsNow.filter((job) => job.round === round.round) };
    const since = round.revealStartedAt ?? round.committeeDrawnAt ?? round.submittedAt;
    const shown = { round: round.round, state: round.state, since, label: labelOf(targets.get(round.target)?.target, round.attempt) };
    return { ...shown, ...explainRound(facts, now(), silenceSeconds) };
  });
  return [...waits.filter(({ stuck }) => stuck), ...waits.filter(({ stuck }) => !stuck)];
}

async function loadRetryable({ db, now }: OverviewSources): Promise<ConsoleRound[]> {
  const candidates = await loadTargetsWithoutStanding(db, shownRounds);
  const { planned, newest, verdicts } = await planNewRounds(db, candidates, now());
  const targets = await loadTargets(
    db,
    planned.map(({ target }) => target),
  );
  return planned.flatMap(({ target }) => {
    const last = newest.get(target);
    const verdict = last && verdicts.get(last.round)?.verdict;
    if (!verdict) return [];
    const { round, attempt, settledAt, submittedAt } = last;
    return [{ round, label: labelOf(targets.get(target)?.target, attempt), state: verdict.outcome, since: settledAt ?? submittedAt }];
  });
}

async function loadWorkersShown({ db, now }: OverviewSources, operators: Operators): Promise<ConsoleOverview["workers"]> {
  return (await loadWorkers(db)).map((row) => {
    const view = workerViewOf(row, now());
    return { ...view, operatorName: operators.get(view.operator)?.enrolment.name ?? view.operator };
  });
}

/** The console is there when the log is not. */
async function lookAtLog({ reader, witnessPolicy }: OverviewSources): Promise<ConsoleOverview["log"]> {
  try {
    const { checkpoint, text } = await reader.checkpoint(AbortSignal.timeout(logMilliseconds));
    const { witnesses } = evaluateWitnessQuorum(witnessPolicy, parseNote(text), verifyNoteSignature);
    const timeOf = (name: string) => witnesses.find((witness) => witness.name === name)?.time;
    const shown = witnessPolicy.witnesses.map(({ name }) => {
      const time = timeOf(name);
      return { name, cosignedAt: time === undefined ? undefined : new Date(time * 1000) };
    });
    return { size: checkpoint.size, witnesses: shown };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function labelOf(target: Target | undefined, attempt: number): string {
  if (!target) return "a target that is not known";
  const { distribution, suite, source, version, architecture } = target;
  return `${source} ${version} ${architecture}, ${distribution}/${suite}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
}
