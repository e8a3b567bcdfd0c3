import { mkdir } from "node:fs/promises";
import { lockDirectory } from "@quorate/service/directory-lock";
import { exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { type LogReadOptions, openLogForReader } from "../log-for-reader.ts";
import { updateMirror } from "../log-mirror.ts";

/** `quorate log mirror DIR`: brings a copy of the log up to date. */
export async function runLogMirror(directory: string, options: LogReadOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal } = context;
  await mkdir(directory, { recursive: true });
  using held = new DisposableStack();
  held.use(lockDirectory(directory));
  const log = await openLogForReader(options, context);
  const { added, files } = await updateMirror(directory, log, context);
  if (options.json) terminal.printJson({ directory, size: log.checkpoint.size, added, files });
  else terminal.print(`${directory} mirrors ${log.url}: ${log.checkpoint.size} entries, ${added} of them new, all checked`);
  return exitCodes.ok;
}
