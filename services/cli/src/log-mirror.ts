import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LogCheck } from "@quorate/client/check-log";
import { copyLog } from "@quorate/client/mirror-log";
import { writeDurableFile } from "@quorate/service/durable-file";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyEd25519 } from "@quorate/signing/note-key";
import { type Checkpoint, verifyCheckpointNote } from "@quorate/tlog/checkpoint";
import { emptyRoot } from "@quorate/tlog/merkle";
import { parseNote } from "@quorate/tlog/note";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { CommandError, errorLine, exitCodes } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import type { LogForReader } from "./log-for-reader.ts";
import { createCountedProgress } from "./progress/counted.ts";

/** Brings a copy of a log up to date. Its checkpoint is replaced last, when all that it covers is there and checked. */
export async function updateMirror(
  directory: string,
  log: LogForReader,
  context: CommandContext,
): Promise<{ added: number; files: number }> {
  await mkdir(directory, { recursive: true });
  const from = await loadMirrored(directory, log.policy);
  if (from.size > log.checkpoint.size) {
    throw new CommandError(
      `mirroring ${log.url}: it has ${log.checkpoint.size} entries, and the mirror has ${from.size}: a log does not shrink; keep ${directory} as evidence`,
      { exitCode: exitCodes.refuted },
    );
  }
  const check = await copied({ directory, from, log, context });
  if (check.problemCount > 0) {
    for (const { path, kind, reason } of check.problems.slice(0, 50)) context.terminal.say(`${kind}  ${path}: ${reason}`);
    throw new CommandError(
      `mirroring ${log.url}: ${check.problemCount} of its files are not what its checkpoint says; the mirror stays at ${from.size}`,
      {
        exitCode: exitCodes.refuted,
      },
    );
  }
  await writeDurableFile(join(directory, "checkpoint"), log.note);
  return { added: log.checkpoint.size - from.size, files: check.files };
}

async function copied(given: { directory: string; from: MirroredTree; log: LogForReader; context: CommandContext }): Promise<LogCheck> {
  const { directory, from, log, context } = given;
  using progress = createCountedProgress(context.terminal, (count) => `mirroring ${log.url}: ${count} files`);
  return await copyLog({
    source: log.source,
    directory,
    from,
    to: log.checkpoint,
    hasher: nodeHasher,
    writeFile: (path, bytes) => writeDurableFile(path, bytes),
    onProgress: progress.at,
    signal: context.signal,
  });
}

type MirroredTree = Pick<Checkpoint, "size" | "root">;

async function loadMirrored(directory: string, policy: WitnessPolicy): Promise<MirroredTree> {
  const path = join(directory, "checkpoint");
  const note = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (note === undefined) return { size: 0, root: emptyRoot };
  try {
    return verifyCheckpointNote(
      parseNote(note),
      policy.logs.map(({ key }) => key),
      verifyEd25519,
    ).checkpoint;
  } catch (cause) {
    throw new CommandError(`reading the mirror's ${path}: ${errorLine(cause)}; give another directory, or delete this one`, { cause });
  }
}
