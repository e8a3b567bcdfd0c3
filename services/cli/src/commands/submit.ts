import { submissionRequestSchema, type SubmissionRequest, type SubmissionView } from "@quorate/protocol/submission";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import { type ConnectionOptions, connectWithToken } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { followToVerdict } from "../progress/follow.ts";
import { roundName } from "../progress/submission-lines.ts";
import { isReproduced, verdictLines } from "../verdict-lines.ts";

export type SubmitOptions = ConnectionOptions & {
  version?: string | undefined;
  arch?: string | undefined;
  wait?: boolean | undefined;
  json?: boolean | undefined;
};

/** `quorate submit DISTRIBUTION/SUITE PACKAGE` */
export async function runSubmit(suite: string, source: string, options: SubmitOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const request = parseSubmission(suite, source, options);
  const api = await connectWithToken("submitting", options, env);
  terminal.say(`resolving ${suite} ${source} in the archive…`);
  const submission = await api.submit(request, { signal });
  if (!options.wait) {
    printSubmission(submission, options.json ?? false, context);
    return exitCodes.ok;
  }
  const settled = await followToVerdict({ api, submission, terminal, signal });
  if (options.json) terminal.printJson(settled);
  else for (const line of verdictLines(settled)) terminal.print(line);
  return isReproduced(settled) ? exitCodes.ok : exitCodes.notReproduced;
}

/** @throws CommandError that says which part is wrong */
export function parseSubmission(
  suite: string,
  source: string,
  { version, arch }: Pick<SubmitOptions, "version" | "arch">,
): SubmissionRequest {
  const [distribution, name, ...more] = suite.split("/");
  if (name === undefined || more.length > 0) {
    throw new CommandError(`submitting ${source}: ${JSON.stringify(suite)} is not DISTRIBUTION/SUITE, such as debian/bookworm`);
  }
  const parsed = submissionRequestSchema.safeParse({ distribution, suite: name, source, version, architecture: arch });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CommandError(`submitting ${suite} ${source}: ${issue?.path.join(".")} ${issue?.message}`);
}

function printSubmission(submission: SubmissionView, json: boolean, { terminal }: CommandContext): void {
  if (json) return terminal.printJson(submission);
  terminal.print(`submission ${submission.id}`);
  for (const round of submission.rounds) terminal.print(`  ${roundName(round)}: round ${round.round}`);
  terminal.print(`follow it with: quorate status ${submission.id}`);
}
