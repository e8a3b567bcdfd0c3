import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import type { JobView, RoundView, SubmissionView } from "@quorate/protocol/submission";
import type { Target } from "@quorate/protocol/target";
import type { Enrolled } from "@quorate/verdict/enrolled";
import type { Queries } from "./database.ts";
import { estimateSeconds, type PastBuild } from "./estimate.ts";
import type { LiveBoard, LiveJob } from "./live-board.ts";
import { loadBuildHistory, loadJobs, type StoredJob } from "./store/jobs.ts";
import { loadOperators } from "./store/operators.ts";
import { findRound, loadNewestRounds, type StoredRound } from "./store/rounds.ts";
import { findSubmission, type StoredSubmission } from "./store/submissions.ts";
import { loadTargets } from "./store/targets.ts";
import { loadVerdicts, type StoredVerdict } from "./store/verdicts.ts";

/** Reads what people see; every answer is put together from the facts at that moment. */
export type Views = {
  rounds(rounds: readonly StoredRound[]): Promise<RoundView[]>;
  round(id: string): Promise<RoundView | undefined>;
  /** With the newest round of each of its targets. */
  submission(id: string): Promise<SubmissionView | undefined>;
};

export function createViews({ db, board }: { db: Queries; board: LiveBoard }): Views {
  const rounds: Views["rounds"] = async (stored) => {
    const ids = stored.map(({ round }) => round);
    const [targets, jobs, verdicts, operators] = await Promise.all([
      loadTargets(db, [...new Set(stored.map(({ target }) => target))]),
      loadJobs(db, ids),
      loadVerdicts(db, ids),
      loadOperators(db),
    ]);
    const unfinished = jobs.filter((job) => !job.outcome);
    const sources = [...new Set([...targets.values()].map(({ target }) => target.source))];
    const history =
      unfinished.length === 0 ? [] : await loadBuildHistory(db, { operators: unfinished.map(({ operator }) => operator), sources });
    return stored.map((round) => {
      const target = targets.get(round.target)?.target;
      if (!target) throw new Error(`reading round ${round.round}: its target ${round.target} is not in the database`);
      const ofRound = jobs.filter((job) => job.round === round.round);
      const jobViews = ofRound.map((job) => jobViewOf(job, { operators, history, target, live: board.get(job.job) }));
      return roundViewOf(round, { target, jobs: jobViews, verdict: verdicts.get(round.round) });
    });
  };
  return {
    rounds,
    async round(id) {
      const stored = await findRound(db, id);
      return stored && (await rounds([stored]))[0];
    },
    async submission(id) {
      const submission = await findSubmission(db, id);
      if (!submission) return undefined;
      const newest = await loadNewestRounds(db, submission.targets);
      return { id: submission.id, request: submission.request, rounds: await rounds(inOrder(submission, newest)) };
    },
  };
}

function inOrder(submission: StoredSubmission, newest: ReadonlyMap<Sha256, StoredRound>): StoredRound[] {
  return submission.targets.flatMap((target) => newest.get(target) ?? []);
}

function roundViewOf(round: StoredRound, about: { target: Target; jobs: JobView[]; verdict: StoredVerdict | undefined }): RoundView {
  const { distribution, suite, source, version, architecture } = about.target;
  return {
    round: round.round,
    target: round.target,
    attempt: round.attempt,
    distribution,
    suite,
    source,
    version,
    architecture,
    state: round.state,
    policy: round.policy,
    reason: round.reason,
    submittedAt: round.submittedAt.toISOString(),
    committeeDrawnAt: round.committeeDrawnAt?.toISOString(),
    revealStartedAt: round.revealStartedAt?.toISOString(),
    settledAt: round.settledAt?.toISOString(),
    jobs: about.jobs,
    verdict: about.verdict?.verdict,
    verdictIndex: about.verdict?.index,
  };
}

type JobSurroundings = {
  operators: ReadonlyMap<OperatorId, Enrolled>;
  history: readonly PastBuild[];
  target: Target;
  live: LiveJob | undefined;
};

function jobViewOf(job: StoredJob, { operators, history, target, live }: JobSurroundings): JobView {
  return {
    job: job.job,
    operator: job.operator,
    operatorName: operators.get(job.operator)?.enrolment.name ?? job.operator,
    phase: phaseOf(job, live),
    outcome: job.outcome,
    activity: job.remark ?? (job.outcome ? undefined : live?.activity),
    startedAt: job.startedAt?.toISOString(),
    committedAt: job.committedAt?.toISOString(),
    estimateSeconds: job.outcome ? undefined : estimateSeconds(history, { operator: job.operator, source: target.source }),
  };
}

/** Facts come before what a worker says of itself. */
function phaseOf(job: StoredJob, live: LiveJob | undefined): JobView["phase"] {
  if (job.revealedAt) return "revealed";
  if (job.committedAt) return "committed";
  if (live && live.phase !== "committed" && live.phase !== "revealed") return live.phase;
  return job.startedAt ? "fetching" : "queued";
}
