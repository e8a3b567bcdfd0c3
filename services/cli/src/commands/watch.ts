import { readFile } from "node:fs/promises";
import { DirectoryTree } from "@quorate/host/directory-tree";
import { FileHasher } from "@quorate/host/file-hasher";
import { type JitPolicy, parseJitPolicy, usualJitPolicy } from "@quorate/host/runtime/jit-policy";
import { KnownPrograms } from "@quorate/host/runtime/known-programs";
import { MappedFiles } from "@quorate/host/runtime/mapped-files";
import { decideRuntimeOutcome, sweepProcesses } from "@quorate/host/runtime/sweep";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { type HostSnapshot, type SnapshotOptions, openSnapshot } from "../host-snapshot.ts";
import { outcomeExitCodes } from "../outcome-exit-codes.ts";
import { type RuntimeReport, runtimeJson, runtimeLines } from "../runtime-report.ts";

export type WatchOptions = SnapshotOptions & { root?: string | undefined; jit?: string | undefined; json?: boolean | undefined };

/** `quorate watch --once`: what every process runs, compared with what the quorum rebuilt; offline. */
export async function runWatchOnce(options: WatchOptions, { terminal, signal }: CommandContext): Promise<ExitCode> {
  const snapshot = await openSnapshot(options);
  const subject = options.root ?? "/";
  const report = await sweepOnce(subject, options, snapshot).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new CommandError(`watching ${subject}: ${errorLine(cause)}`, { exitCode: exitCodes.notReproduced, cause });
  });
  if (options.json) terminal.printJson(runtimeJson(report));
  else for (const line of runtimeLines(report)) terminal.print(line);
  return outcomeExitCodes[report.outcome];
}

async function sweepOnce(subject: string, options: WatchOptions, snapshot: HostSnapshot): Promise<RuntimeReport> {
  await using hasher = new FileHasher();
  const known = await KnownPrograms.load(new DirectoryTree(subject, hasher), snapshot.artifacts);
  const sweep = await sweepProcesses({
    root: subject.replace(/\/+$/, ""),
    known,
    files: new MappedFiles(Math.random),
    jit: await loadJitPolicy(options.jit),
    looksAtText: () => true,
  });
  return { subject, sweep, snapshot, outcome: decideRuntimeOutcome(sweep, snapshot.freshness.kind === "fresh") };
}

async function loadJitPolicy(path: string | undefined): Promise<JitPolicy> {
  return path === undefined ? usualJitPolicy : parseJitPolicy(await readFile(path));
}
