import type { LogCheck } from "@quorate/client/check-log";
import { checkNewFiles } from "../check-new-files.ts";
import { loadCheckState } from "../check-state.ts";
import { exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { type LogReadOptions, openLogForReader } from "../log-for-reader.ts";
import { createCountedProgress } from "../progress/counted.ts";

export type FsckOptions = LogReadOptions & { state?: string | undefined };

const problemsShown = 50;

/** `quorate log fsck`: hashes every file of the log again; with `--state` those that are new since the last time. */
export async function runLogFsck(options: FsckOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const { url, source, checkpoint } = await openLogForReader(options, context);
  const state = options.state === undefined ? undefined : await loadCheckState(options.state, checkpoint.origin);
  const total = checkpoint.size - (state?.size ?? 0);
  using progress = createCountedProgress(terminal, (count) => `checking ${url}: ${count} of about ${total} entries`);
  const check = await checkNewFiles({ url, source, checkpoint, state, statePath: options.state, onProgress: progress.at, signal });
  const whole = check.problemCount === 0;
  if (options.json) terminal.printJson({ whole, size: checkpoint.size, from: state?.size ?? 0, ...check });
  else report(url, { check, size: checkpoint.size, from: state?.size ?? 0 }, context);
  return whole ? exitCodes.ok : exitCodes.refuted;
}

function report(url: string, { check, size, from }: { check: LogCheck; size: number; from: number }, { terminal }: CommandContext): void {
  const { entries, files, problems, problemCount } = check;
  for (const { path, kind, reason } of problems.slice(0, problemsShown)) terminal.print(`${kind}  ${path}: ${reason}`);
  if (problemCount > problemsShown) terminal.print(`and ${problemCount - problemsShown} more; --json lists up to 1000`);
  const since = from > 0 ? ` (the first ${from} were checked before)` : "";
  const found = problemCount === 0 ? "all of them lead to the cosigned root" : `${problemCount} problems`;
  terminal.print(`checked ${files} files and ${entries} entries of ${url}, tree size ${size}${since}: ${found}`);
}
