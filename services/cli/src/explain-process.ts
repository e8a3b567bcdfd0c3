import { DirectoryTree } from "@quorate/host/directory-tree";
import { FileHasher } from "@quorate/host/file-hasher";
import { Locator } from "@quorate/host/locator";
import type { JitPolicy } from "@quorate/host/runtime/jit-policy";
import { type Judged, judgeProcess } from "@quorate/host/runtime/judge-process";
import { KnownPrograms } from "@quorate/host/runtime/known-programs";
import { MappedFiles } from "@quorate/host/runtime/mapped-files";
import { type RunningProcess, readProcess } from "@quorate/host/runtime/read-process";
import { findingKeyOf } from "@quorate/host/runtime/runtime-class";
import { decideRuntimeOutcome } from "@quorate/host/runtime/sweep";
import type { SnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import { CommandError, errorLine, exitCodes, type ExitCode } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import { explainArtifact, explanationLines } from "./explanation.ts";
import type { HostSnapshot } from "./host-snapshot.ts";
import { loadJitPolicy } from "./jit-policy-file.ts";
import { outcomeExitCodes } from "./outcome-exit-codes.ts";
import { runtimeFindingLine } from "./runtime-report.ts";

type Asking = { readonly snapshot: HostSnapshot; readonly context: CommandContext };
type Explained = { readonly name: string; readonly findings: readonly Judged[]; readonly artifacts: readonly SnapshotArtifact[] };

/** What one process runs, and where that comes from; with no more of the snapshot read than is about it. */
export async function explainProcess(
  pid: number,
  options: { root?: string | undefined; jit?: string | undefined; json?: boolean | undefined },
  { snapshot, context: { terminal } }: Asking,
): Promise<ExitCode> {
  const fail = (cause: unknown): never => {
    throw new CommandError(`explaining process ${pid}: ${errorLine(cause)}`, { exitCode: exitCodes.notReproduced, cause });
  };
  const jit = await loadJitPolicy(options.jit).catch(fail);
  const { name, findings, artifacts } = await lookAtProcess(pid, options.root ?? "/", { snapshot, jit }).catch(fail);
  const explanations = await Promise.all(artifacts.map((artifact) => explainArtifact(artifact, snapshot))).catch(fail);
  const found = findings.map((finding) => ({ ...finding, pids: [pid] }));
  const outcome = decideRuntimeOutcome({ processes: 1, findings: found }, snapshot.freshness.kind === "fresh");
  if (options.json) terminal.printJson({ asked: String(pid), name, outcome, findings: found, explanations });
  else {
    terminal.print(`process ${pid} (${JSON.stringify(name)}) runs:`);
    for (const finding of found) terminal.print(`  ${runtimeFindingLine(finding)}`);
    for (const explanation of explanations) for (const line of explanationLines(explanation, snapshot)) terminal.print(line);
    if (explanations.length === 0) terminal.print("  no verdict that is known here is about any of it");
  }
  return outcomeExitCodes[outcome];
}

type Judging = { readonly snapshot: HostSnapshot; readonly jit: JitPolicy };

async function lookAtProcess(pid: number, subject: string, { snapshot: { artifacts }, jit }: Judging): Promise<Explained> {
  await using hasher = new FileHasher();
  const tree = new DirectoryTree(subject, hasher);
  const root = subject.replace(/\/+$/, "");
  const files = new MappedFiles(Math.random);
  const answer = readProcess(pid, { root, locator: new Locator(tree), files, looksAtText: true });
  if (answer.kind === "unreadable") throw new Error(answer.reason);
  if (answer.kind === "nothing") throw new Error("there is none, or it is the kernel's own");
  const { process } = answer;
  const known = await KnownPrograms.loadAt(pathsOf(process), tree, artifacts);
  await known.lookAt(new Set(pathsOf(process)));
  const digests = [
    ...process.code.flatMap(({ file }) => file?.digest ?? []),
    ...(process.script === undefined ? [] : [process.script.digest]),
  ];
  const found = digests.flatMap((digest) => (digest.kind === "hashed" ? (known.find(digest.sha256)?.artifact ?? []) : []));
  return {
    name: process.name,
    findings: distinct(judgeProcess(process, { known, jit })),
    artifacts: [...new Map(found.map((artifact) => [artifact.sha256, artifact])).values()],
  };
}

function pathsOf({ code, script }: RunningProcess): string[] {
  return [...code.flatMap(({ path, file }) => (file === undefined ? [] : [path])), ...(script === undefined ? [] : [script.path])];
}

function distinct(findings: readonly Judged[]): Judged[] {
  return [...new Map(findings.map((finding) => [findingKeyOf(finding), finding])).values()];
}
