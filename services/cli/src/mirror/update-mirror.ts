import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type LogCheck, checkLog } from "@quorate/client/check-log";
import { logSourceOf } from "@quorate/client/log-source";
import { copyLog } from "@quorate/client/mirror-log";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { type Checkpoint, verifyCheckpointNote } from "@quorate/tlog/checkpoint";
import { emptyRoot } from "@quorate/tlog/merkle";
import { parseNote } from "@quorate/tlog/note";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { CommandError, errorLine, exitCodes } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import type { LogForReader } from "../log-for-reader.ts";
import { readIfThere, saveFile } from "../own-files.ts";
import { createCountedProgress } from "../progress/counted.ts";

/** What a mirror's directory holds: the note is the file `checkpoint`. */
export type Mirrored = { readonly checkpoint: Checkpoint; readonly note: string };

const problemsShown = 50;

/** Brings a copy of the log up to date, or makes one. What it holds already was checked when it was copied. */
export async function updateMirror(
  directory: string,
  log: LogForReader,
  context: CommandContext,
): Promise<{ added: number; files: number }> {
  await mkdir(directory, { recursive: true });
  const mirrored = await loadMirrored(directory, log.policy);
  const { files } = await extendMirror({ directory, log, mirrored, trusted: mirrored?.checkpoint, context });
  return { added: log.checkpoint.size - (mirrored?.checkpoint.size ?? 0), files };
}

/**
 * Brings a copy of the log up to date. Its checkpoint is replaced last, when all that it covers is there and was hashed. Files of the tree of
 * `trusted` are taken for what they are; without it every file is hashed, and fetched anew where it is wrong.
 *
 * @throws CommandError with exit code 2 when the log does not extend what the mirror holds, or its files are not its checkpoint's
 */
export async function extendMirror(given: {
  directory: string;
  log: LogForReader;
  mirrored: Mirrored | undefined;
  trusted: Checkpoint | undefined;
  context: CommandContext;
}): Promise<{ mirrored: Mirrored; files: number }> {
  const { directory, log, mirrored, trusted, context } = given;
  const { checkpoint, note } = log;
  if (mirrored !== undefined && mirrored.checkpoint.size > checkpoint.size) {
    throw new CommandError(
      `mirroring ${log.url}: it has ${checkpoint.size} entries, and the mirror has ${mirrored.checkpoint.size}: a log does not shrink; keep ${directory} as evidence`,
      { exitCode: exitCodes.refuted },
    );
  }
  const from = trusted ?? { size: 0, root: emptyRoot };
  using progress = createCountedProgress(context.terminal, (count) => `mirroring ${log.url}: ${count} files`);
  const check = await copyLog({
    source: log.source,
    directory,
    from,
    to: checkpoint,
    hasher: nodeHasher,
    writeFile: saveFile,
    onProgress: progress.at,
    signal: context.signal,
  });
  sayProblems(check, context);
  if (check.problemCount > 0) {
    throw new CommandError(
      `mirroring ${log.url}: ${check.problemCount} of its files are not what its checkpoint says; the mirror stays at ${mirrored?.checkpoint.size ?? 0}`,
      { exitCode: exitCodes.refuted },
    );
  }
  await saveFile(join(directory, "checkpoint"), note);
  return { mirrored: { checkpoint, note }, files: check.files };
}

/** What the directory holds, as its checkpoint says; `undefined` when there is none yet. */
export async function loadMirrored(directory: string, policy: WitnessPolicy): Promise<Mirrored | undefined> {
  const path = join(directory, "checkpoint");
  const note = await readIfThere(path);
  if (note === undefined) return undefined;
  try {
    const keys = policy.logs.map(({ key }) => key);
    return { note, checkpoint: verifyCheckpointNote(parseNote(note), keys, verifyNoteSignature).checkpoint };
  } catch (cause) {
    throw new CommandError(`reading the mirror's ${path}: ${errorLine(cause)}; give another directory, or delete this one`, { cause });
  }
}

/** Hashes every file of the mirror again. @returns whether all of them lead to its checkpoint */
export async function isWhole(directory: string, { checkpoint }: Mirrored, context: CommandContext): Promise<boolean> {
  using progress = createCountedProgress(context.terminal, (count) => `checking ${directory}: ${count} of ${checkpoint.size} entries`);
  const source = logSourceOf(pathToFileURL(directory).href);
  const check = await checkLog({ source, checkpoint, hasher: nodeHasher, onProgress: progress.at, signal: context.signal });
  sayProblems(check, context);
  return check.problemCount === 0;
}

function sayProblems({ problems, problemCount }: LogCheck, { terminal }: CommandContext): void {
  for (const { path, kind, reason } of problems.slice(0, problemsShown)) terminal.say(`${kind}  ${path}: ${reason}`);
  if (problemCount > problemsShown) terminal.say(`and ${problemCount - problemsShown} more`);
}
