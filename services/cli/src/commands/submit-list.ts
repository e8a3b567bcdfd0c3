import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { SubmissionBatchView } from "@quorate/protocol/submission";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import { type ConnectionOptions, connectToSubmit } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { createCountedProgress } from "../progress/counted.ts";
import { createEstimate } from "../progress/estimate.ts";
import { parseSubmissionList } from "../submission-list.ts";

export type SubmitListOptions = ConnectionOptions & { dryRun?: boolean | undefined; json?: boolean | undefined };

type Outcome = SubmissionBatchView["submissions"][number];

/** Few enough that each answer comes soon: it is what progress is shown by. */
const batchLength = 50;

/** `quorate submit-list FILE`: the whole list is read before anything is sent. */
export async function runSubmitList(file: string, options: SubmitListOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const requests = parseSubmissionList(await readList(file), file);
  const api = await connectToSubmit(options, env);
  const isDryRun = options.dryRun ?? false;
  const estimate = createEstimate(requests.length);
  const outcomes: Outcome[] = [];
  using progress = createCountedProgress(terminal, (count) => `submitting: ${estimate(count, performance.now())}`);
  for (let start = 0; start < requests.length && !outcomes.some(isOverQuota); start += batchLength) {
    const { submissions } = await api
      .submitBatch(requests.slice(start, start + batchLength), { isDryRun, signal })
      .catch((cause: unknown) => {
        const sent = `${start} of ${requests.length} were sent; the same list may be sent again`;
        throw new CommandError(`${errorLine(cause)} (${sent})`, { cause });
      });
    outcomes.push(...submissions);
    progress.at(outcomes.length);
  }
  progress[Symbol.dispose]();
  return report(outcomes, { asked: requests.length, isDryRun, json: options.json ?? false }, context);
}

function report(
  outcomes: readonly Outcome[],
  { asked, isDryRun, json }: { asked: number; isDryRun: boolean; json: boolean },
  { terminal }: CommandContext,
): ExitCode {
  const refused = outcomes.filter((outcome) => "problem" in outcome);
  const created = outcomes.filter((outcome) => "created" in outcome && outcome.created).length;
  const notSent = asked - outcomes.length;
  if (json) terminal.printJson({ isDryRun, notSent, submissions: outcomes });
  else {
    for (const { request, problem } of refused) {
      const { distribution, suite, source, version, architecture } = request;
      const name = [`${distribution}/${suite}`, source, version, architecture].filter((word) => word !== undefined).join(" ");
      terminal.print(`refused  ${name}: ${problem.detail ?? problem.title}`);
    }
    const counts = `${created} new, ${outcomes.length - created - refused.length} known already, ${refused.length} refused`;
    terminal.print(`${isDryRun ? "would be: " : ""}${counts}${notSent > 0 ? `, ${notSent} not sent: the day's quota is used up` : ""}`);
  }
  return refused.length === 0 && notSent === 0 ? exitCodes.ok : exitCodes.failed;
}

/** What follows would be refused for the same reason. */
function isOverQuota(outcome: Outcome): boolean {
  return "problem" in outcome && outcome.problem.status === 429;
}

async function readList(file: string): Promise<string> {
  try {
    return file === "-" ? await text(process.stdin) : await readFile(file, "utf8");
  } catch (cause) {
    throw new CommandError(`reading ${file}: ${errorLine(cause)}`, { cause });
  }
}
