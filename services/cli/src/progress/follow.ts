import type { Api } from "@quorate/client/api";
import { isSettled } from "@quorate/client/submission-events";
import type { JobView, SubmissionView } from "@quorate/protocol/submission";
import type { LiveMessage } from "@quorate/protocol/job";
import type { Terminal } from "../terminal.ts";
import { createLiveRegion } from "./live-region.ts";
import { jobText, roundName, submissionLines } from "./submission-lines.ts";

export type FollowOptions = { api: Api; submission: SubmissionView; terminal: Terminal; signal: AbortSignal };

const redrawMilliseconds = 250;
/** Without a terminal that redraws: how often it is said that work goes on. */
const heartbeatMilliseconds = 30_000;

/** Shows what each operator does until every round has a verdict. */
export async function followToVerdict({ api, submission, terminal, signal }: FollowOptions): Promise<SubmissionView> {
  let current = submission;
  using progress = terminal.live ? redrawn(terminal, () => current) : spoken(terminal, () => current);
  progress.changed();
  if (isSettled(current)) return current;
  for await (const event of api.submissionEvents(submission.id, { signal })) {
    current = event.kind === "submission" ? event.submission : withLive(current, event.live);
    progress.changed();
  }
  return current;
}

interface Progress extends Disposable {
  changed(): void;
}

function redrawn(terminal: Terminal, current: () => SubmissionView): Progress {
  const region = createLiveRegion(terminal);
  const draw = (): void => region.show(submissionLines(current(), new Date()));
  const timer = setInterval(draw, redrawMilliseconds);
  return {
    changed: () => {},
    [Symbol.dispose]() {
      clearInterval(timer);
      draw();
      region[Symbol.dispose]();
    },
  };
}

function spoken(terminal: Terminal, current: () => SubmissionView): Progress {
  const said = new Map<string, string>();
  const sayNews = (): void => {
    for (const [key, news, line] of newsOf(current(), new Date())) {
      if (said.get(key) === news) continue;
      said.set(key, news);
      terminal.say(line);
    }
  };
  const timer = setInterval(() => submissionLines(current(), new Date()).forEach((line) => terminal.say(line)), heartbeatMilliseconds);
  return {
    changed: sayNews,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Each thing that is worth a line when it changes: what it is about, its state, and the line. */
function newsOf(submission: SubmissionView, now: Date): [string, string, string][] {
  return submission.rounds.flatMap((round) => {
    const name = roundName(round);
    const outcome = round.verdict?.outcome ?? round.state;
    const jobs = round.jobs.map((job): [string, string, string] => [
      job.job,
      `${job.phase} ${job.outcome}`,
      `${name}: ${job.operatorName}: ${jobText(job, now)}`,
    ]);
    const state: [string, string, string] = [round.round, outcome, `${name}: ${outcome}`];
    return outcome === round.state && round.state !== "settled" ? [state, ...jobs] : [...jobs, state];
  });
}

/** Live messages come before the coordinator's own view says so; what is committed and revealed is for the coordinator to say. */
export function withLive(submission: SubmissionView, live: LiveMessage): SubmissionView {
  const update = (job: JobView): JobView => {
    const settled = job.committedAt !== undefined || live.phase === "committed" || live.phase === "revealed";
    if (job.job !== live.job || settled) return job;
    return { ...job, phase: live.phase, ...(live.activity === undefined ? {} : { activity: live.activity }) };
  };
  return { ...submission, rounds: submission.rounds.map((round) => ({ ...round, jobs: round.jobs.map(update) })) };
}
