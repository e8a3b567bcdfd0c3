import { readFileSync, readdirSync } from "node:fs";
import type { AuditOutcome } from "../audit-outcome.ts";
import type { JitPolicy } from "./jit-policy.ts";
import { type Judged, type Judging, judgeProcess } from "./judge-process.ts";
import type { KnownPrograms } from "./known-programs.ts";
import type { MappedFiles } from "./mapped-files.ts";
import { type ProcessAnswer, type RunningProcess, readProcess } from "./read-process.ts";
import { type RuntimeFinding, findingKeyOf, runtimeClasses } from "./runtime-class.ts";

export type Sweep = {
  /** How many processes there were, those that could not be looked at included. */
  readonly processes: number;
  /** Each once for all the processes that it was found in; what is verified too. */
  readonly findings: readonly RuntimeFinding[];
};

export type Sweeping = {
  readonly root: string;
  readonly known: KnownPrograms;
  readonly files: MappedFiles;
  readonly jit: JitPolicy;
  /** Whether the pages of a process's text are looked at this time. */
  readonly looksAtText: (pid: number) => boolean;
};

/** Looks at what processes run: all that are seen below a root, or the given ones. */
export async function sweepProcesses(sweeping: Sweeping, pids: readonly number[] = listPids(sweeping.root)): Promise<Sweep> {
  const { root, known, files, jit, looksAtText } = sweeping;
  files.beginSweep();
  known.beginSweep();
  const answers = pids.map((pid) => {
    const answer = readProcess(pid, { root, locator: known.locator, files, looksAtText: looksAtText(pid) });
    return { pid, answer };
  });
  await known.lookAt(new Set(answers.flatMap(({ answer }) => (answer.kind === "running" ? unknownPaths(answer.process, known) : []))));
  const found = answers.flatMap(({ pid, answer }) => judgeAnswer(answer, { known, jit }).map((judged) => ({ pid, judged })));
  return {
    processes: answers.filter(({ answer }) => answer.kind !== "nothing").length,
    findings: [...hiddenProcesses(root), ...merge(found)],
  };
}

/** As decideOutcome, of what runs. @param isCurrent whether what is known of packages is recent enough */
export function decideRuntimeOutcome({ findings }: Sweep, isCurrent: boolean): AuditOutcome {
  const severities = new Set(findings.map(({ class: found }) => runtimeClasses[found]));
  if (severities.has("tampering")) return "tampering";
  if (severities.has("unseen") || !isCurrent) return "incomplete";
  return severities.has("drift") ? "drift" : "clean";
}

export function listPids(root: string): number[] {
  return readdirSync(`${root}/proc`)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number);
}

function unknownPaths({ code, script, isOwnRoot }: RunningProcess, known: KnownPrograms): string[] {
  if (!isOwnRoot) return [];
  const files = [
    ...code.flatMap(({ path, file, isDeleted }) => (file === undefined || isDeleted ? [] : [{ path, digest: file.digest }])),
    ...(script === undefined ? [] : [script]),
  ];
  return files.flatMap(({ path, digest }) => (digest.kind === "hashed" && known.find(digest.sha256) === undefined ? [path] : []));
}

function judgeAnswer(answer: ProcessAnswer, judging: Judging): Judged[] {
  switch (answer.kind) {
    case "nothing":
      return [];
    case "unreadable":
      return [{ class: "unreadable", path: "[process]", reason: answer.reason }];
    case "running":
      return judgeProcess(answer.process, judging);
  }
}

function merge(found: readonly { pid: number; judged: Judged }[]): RuntimeFinding[] {
  const groups = Map.groupBy(found, ({ judged }) => findingKeyOf(judged));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ ...first.judged, pids: [...new Set(group.map(({ pid }) => pid))] }];
  });
}

/** What is mounted over a process's directory in /proc is what every look at the process then sees. */
function hiddenProcesses(root: string): RuntimeFinding[] {
  return mountPoints(root).flatMap((path): RuntimeFinding[] => {
    const pid = /\/proc\/([1-9]\d*)(?:\/|$)/.exec(path.startsWith(`${root}/`) ? path.slice(root.length) : path)?.[1];
    return pid === undefined ? [] : [{ class: "hidden", path, pids: [Number(pid)], reason: "something is mounted over it" }];
  });
}

/** Fifth field of each line of proc_pid_mountinfo(5). A process in a namespace of its own has no `self` in another's /proc. */
function mountPoints(root: string): string[] {
  for (const pid of ["self", "1"]) {
    try {
      return readFileSync(`${root}/proc/${pid}/mountinfo`, "latin1")
        .split("\n")
        .map((line) => line.split(" ", 5)[4] ?? "");
    } catch (error) {
      if (pid === "1") throw error;
    }
  }
  return [];
}
