import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { holdDirectory } from "../held-directory.ts";
import { type LogForReader, type LogReadOptions, openLogForReader } from "../log-for-reader.ts";
import { extendMirror, isWhole, loadMirrored, updateMirror } from "../mirror/update-mirror.ts";
import { loadTlogPolicy } from "../reader-policy.ts";

export type MirrorOptions = LogReadOptions & {
  /** Where to listen. */
  serve?: { host: string; port: number } | undefined;
  interval?: number | undefined;
};

const defaultIntervalSeconds = 10;

/** `quorate log mirror DIR`: brings a copy of the log up to date; with `--serve` goes on doing so, and serves it. */
export async function runLogMirror(directory: string, options: MirrorOptions, context: CommandContext): Promise<ExitCode> {
  using held = new DisposableStack();
  held.use(await holdDirectory(directory));
  if (options.serve !== undefined) return serve(directory, { ...options, address: options.serve }, context);
  const log = await openSource(directory, options, context);
  report({ directory, log, ...(await updateMirror(directory, log, context)) }, options, context);
  return exitCodes.ok;
}

async function openSource(directory: string, options: MirrorOptions, context: CommandContext): Promise<LogForReader> {
  const log = await openLogForReader(options, context);
  if (log.url !== pathToFileURL(resolve(directory)).href) return log;
  throw new CommandError(`mirroring ${log.url}: the log and the mirror are one directory; give the log's own URL to --log`);
}

type Updated = { directory: string; log: LogForReader; added: number; files: number };

function report({ directory, log, added, files }: Updated, { json }: MirrorOptions, { terminal }: CommandContext): void {
  const { size } = log.checkpoint;
  if (json) terminal.printJson({ directory, size, added, files });
  else terminal.print(`${directory} mirrors ${log.url}: ${size} entries, ${added} of them new, all checked`);
}

/** What is wrong with the log is said, and does not end this: what was copied before is served on. */
async function serve(
  directory: string,
  options: MirrorOptions & { address: { host: string; port: number } },
  context: CommandContext,
): Promise<never> {
  const { terminal, signal } = context;
  const { interval = defaultIntervalSeconds } = options;
  let mirrored = await loadMirrored(directory, await loadTlogPolicy(options, context));
  const { serveMirror } = await import("../mirror/serve-mirror.ts");
  await using server = await serveMirror(directory, options.address, terminal);
  if (options.json) terminal.printJson({ directory, url: server.url });
  else terminal.print(`serving ${directory} at ${server.url}`);
  // What a disk has changed since is not served; it is fetched again.
  let trusted = mirrored && (await isWhole(directory, mirrored, context)) ? mirrored.checkpoint : undefined;
  if (mirrored && trusted) server.publish(mirrored);
  for (;;) {
    try {
      const log = await openSource(directory, options, context);
      const before = mirrored?.checkpoint.size ?? 0;
      const { files, ...extended } = await extendMirror({ directory, log, mirrored, trusted, context });
      ({ mirrored } = extended);
      trusted = mirrored.checkpoint;
      server.publish(mirrored);
      if (trusted.size > before) report({ directory, log, added: trusted.size - before, files }, options, context);
    } catch (error) {
      signal.throwIfAborted();
      terminal.say(`${errorLine(error)}; trying again in ${interval} s`);
    }
    await delay(interval * 1000, undefined, { signal });
  }
}
