import { createReadStream } from "node:fs";
import { addAbortSignal } from "node:stream";
import type { Api } from "@quorate/client/api";
import type { SubmissionBatchView, SubmissionRequest } from "@quorate/protocol/submission";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import { type ConnectionOptions, connectWithToken } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { createCountedProgress } from "../progress/counted.ts";
import { createEstimate } from "../progress/estimate.ts";
import { parseSubmissionList } from "../submission-list.ts";

export type SubmitListOptions = ConnectionOptions & { dryRun?: boolean | undefined; json?: boolean | undefined };

type Outcome = SubmissionBatchView["submissions"][number];
type Refused = Extract<Outcome, { problem: object }>;

/** What came of a list: of those that could not be sent nothing is known but `failure`. */
type Sent = { isDryRun: boolean; outcomes: readonly Outcome[]; notSent: number; failure?: unknown };

/** Few enough that each answer comes soon: it is what progress is shown by. */
const batchLength = 50;
const maxListBytes = 32 * 2 ** 20;

/** `quorate submit-list FILE`: the whole list is read before anything is sent. */
export async function runSubmitList(file: string, options: SubmitListOptions, context: CommandContext): Promise<ExitCode> {
  const requests = parseSubmissionList(await readList(file, context.signal), file);
  const api = await connectWithToken("submitting", options, context.env);
  const sent = await sendAll(requests, { api, isDryRun: options.dryRun ?? false, context });
  if (options.json) {
    context.terminal.printJson({ isDryRun: sent.isDryRun, notSent: sent.notSent, submissions: sent.outcomes });
  } else for (const line of linesOf(sent)) context.terminal.print(line);
  if (sent.failure !== undefined) {
    const known = `${sent.outcomes.length} of ${requests.length} were sent`;
    throw new CommandError(`${errorLine(sent.failure)} (${known}; the same list may be sent again)`, { cause: sent.failure });
  }
  return sent.outcomes.some(isRefused) ? exitCodes.failed : exitCodes.ok;
}

/** One over the day's quota does not end it: what is known already takes nothing of the day. */
async function sendAll(
  requests: readonly SubmissionRequest[],
  { api, isDryRun, context }: { api: Api; isDryRun: boolean; context: CommandContext },
): Promise<Sent> {
  const { terminal, signal } = context;
  const estimate = createEstimate(requests.length);
  const outcomes: Outcome[] = [];
  let countedBefore = 0;
  using progress = createCountedProgress(terminal, (count) => `submitting: ${estimate(count, performance.now())}`);
  try {
    for (let start = 0; start < requests.length; start += batchLength) {
      const batch = requests.slice(start, start + batchLength);
      const { submissions, counted } = await api.submitBatch(batch, isDryRun ? { isDryRun, countedBefore, signal } : { signal });
      outcomes.push(...submissions);
      countedBefore += counted;
      progress.at(outcomes.length);
    }
    return { isDryRun, outcomes, notSent: 0 };
  } catch (failure) {
    return { isDryRun, outcomes, notSent: requests.length - outcomes.length, failure };
  }
}

function linesOf({ isDryRun, outcomes, notSent }: Sent): string[] {
  const refused = outcomes.filter(isRefused);
  const created = outcomes.filter((outcome) => "created" in outcome && outcome.created).length;
  const overQuota = refused.filter(({ problem }) => problem.status === 429);
  const known = outcomes.length - created - refused.length;
  const counts = [
    `${created} new`,
    `${known} known already`,
    `${refused.length - overQuota.length} refused`,
    ...(overQuota.length > 0 ? [`${overQuota.length} over the day's quota`] : []),
    ...(notSent > 0 ? [`${notSent} not sent`] : []),
  ];
  // The day's quota is the same for all, and has one reason.
  const [firstOver] = overQuota;
  const named = refused.filter((outcome) => outcome.problem.status !== 429 || outcome === firstOver);
  return [...named.map(refusalLine), `${isDryRun ? "would be: " : ""}${counts.join(", ")}`];
}

function refusalLine({ request, problem }: Refused): string {
  const { distribution, suite, source, version, architecture } = request;
  const name = [`${distribution}/${suite}`, source, version, architecture].filter((word) => word !== undefined).join(" ");
  return `refused  ${name}: ${problem.detail ?? problem.title}`;
}

function isRefused(outcome: Outcome): outcome is Refused {
  return "problem" in outcome;
}

async function readList(file: string, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    const source = addAbortSignal(signal, file === "-" ? process.stdin : createReadStream(file));
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > maxListBytes) throw new CommandError(`it is larger than ${maxListBytes} bytes; split it`);
      chunks.push(bytes);
    }
  } catch (cause) {
    throw new CommandError(`reading ${file}: ${errorLine(cause)}`, { cause });
  }
  return Buffer.concat(chunks).toString("utf8");
}
