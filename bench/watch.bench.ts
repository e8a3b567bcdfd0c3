import { spawn } from "node:child_process";
import { once } from "node:events";
import { DirectoryTree } from "@quorate/host/directory-tree";
import { FileHasher } from "@quorate/host/file-hasher";
import { usualJitPolicy } from "@quorate/host/runtime/jit-policy";
import { KnownPrograms } from "@quorate/host/runtime/known-programs";
import { MappedFiles } from "@quorate/host/runtime/mapped-files";
import { sweepProcesses } from "@quorate/host/runtime/sweep";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import { hashFrom } from "@quorate/tlog/hash";
import { NewPrograms } from "../services/cli/src/watch/new-programs.ts";
import { lookIntervalMilliseconds, textShare, watchProcesses } from "../services/cli/src/watch/watch-processes.ts";
import { childOf } from "../test/running-root.ts";
import { describeHost } from "./described-host.ts";
import { type Figure, percentile } from "./figure.ts";

const processes = 250;
const sweeps = 60;
const executions = 30;
const sweepIntervalSeconds = 10;
const looksPerSecond = 1000 / lookIntervalMilliseconds;

type Sweep = (textShare: number, pids?: readonly number[]) => ReturnType<typeof sweepProcesses>;

/** Sweeps of processes that run in a namespace of their own, beside hashing their programs as a script would. */
export async function measure(): Promise<Figure[]> {
  await using hasher = new FileHasher();
  await using running = await startProcesses();
  const tree = new DirectoryTree(running.root, hasher);
  const described = await describeHost(tree);
  const findVersions = (names: ReadonlySet<string>) =>
    described.packages.filter((installed) => names.has(installed.package)).flatMap((installed) => described.known.find(installed));
  const known = await KnownPrograms.load(tree, { ...described.known, findVersions });
  const files = new MappedFiles(Math.random);
  const sweep: Sweep = (share, pids) =>
    sweepProcesses({ root: running.root, known, files, jit: usualJitPolicy, looksAtText: () => Math.random() < share }, pids);
  const { processes: seen, findings } = await sweep(1);
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let at = 0; at < sweeps; at += 1) times.push(await millisecondsOf(() => sweep(textShare)));
  const cpuMilliseconds = cpuSince(before) / sweeps;
  const wholeMilliseconds = await millisecondsOf(() => sweep(1));
  const lookMilliseconds = await millisecondsOfLook(running.root);
  const script = await millisecondsOf(() => running.hashPrograms());
  const p95 = percentile(times, 0.95);
  const name = `sweep of ${seen} processes, ${findings.length} files and kinds of memory`;
  const share = (cpuMilliseconds / 1000 / sweepIntervalSeconds + (lookMilliseconds / 1000) * looksPerSecond) * 100;
  return [
    {
      name: `${name}: p95`,
      value: p95,
      unit: "ms",
      ratio: script / p95,
      reference: `sha256sum of their programs: ${script.toFixed(0)} ms`,
    },
    { name: `${name}: median`, value: percentile(times, 0.5), unit: "ms" },
    { name: `${name}: all pages of their text`, value: wholeMilliseconds, unit: "ms" },
    {
      name: `of one processor, a sweep in ${sweepIntervalSeconds} s and ${looksPerSecond} looks a second`,
      value: share,
      unit: "%",
      ratio: 1 / share,
      reference: "limit: 1 %",
    },
    { name: `${name}: processor time`, value: cpuMilliseconds, unit: "ms" },
    await measureExecutions(running, sweep),
  ];
}

/** From the execution of a program to what was found of it. */
async function measureExecutions(running: Running, sweep: Sweep): Promise<Figure> {
  const ending = new AbortController();
  const found = new Map<number, number>();
  const checkpoint = { origin: "log.example", size: 0, root: hashFrom(Buffer.from(digestOf("root"), "hex")) };
  const snapshot = { checkpoint, freshness: { kind: "fresh" }, policySha256: digestOf("policy") } as const;
  const started = Promise.withResolvers<void>();
  const watching = watchProcesses({
    host: { root: running.root, sweep: async (...given) => ({ subject: "/", snapshot, outcome: "clean", sweep: await sweep(...given) }) },
    intervalSeconds: sweepIntervalSeconds,
    onSweep: () => started.resolve(),
    onNew: (report) => {
      for (const { path, pids } of report.sweep.findings)
        if (path.endsWith("/tail")) for (const pid of pids) found.set(pid, performance.now());
    },
    signal: ending.signal,
  });
  await started.promise;
  const times: number[] = [];
  for (let at = 0; at < executions; at += 1) times.push(await running.execute(found));
  ending.abort();
  await watching;
  const p95 = percentile(times, 0.95);
  return { name: "from an execution to its verdict: p95", value: p95, unit: "ms", ratio: 1000 / p95, reference: "limit: 1,000 ms" };
}

async function millisecondsOfLook(root: string): Promise<number> {
  const programs = new NewPrograms(root);
  programs.look(0);
  const times: number[] = [];
  for (let at = 0; at < sweeps; at += 1) times.push(await millisecondsOf(async () => programs.look(10_000)));
  return percentile(times, 0.5);
}

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

type Running = AsyncDisposable & {
  readonly root: string;
  hashPrograms(): Promise<void>;
  /** Executes a program, and answers after how many milliseconds `found` has it. */
  execute(found: ReadonlyMap<number, number>): Promise<number>;
};

/** A shell that has started programs; they end with it. */
async function startProcesses(): Promise<Running> {
  const script = `i=1; while [ $i -lt ${processes} ]; do sleep 3600 & i=$((i + 1)); done; echo ready; while read line; do tail -f /dev/null & echo $!; done`;
  const words = ["--pid", "--mount", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script];
  const shell = spawn("unshare", words, { stdio: ["pipe", "pipe", "inherit"] });
  const ask = async (line: string): Promise<string> => {
    shell.stdin.write(line);
    const [answer] = await once(shell.stdout, "data");
    return String(answer).trim();
  };
  await ask("");
  const root = `/proc/${await childOf(shell.pid)}/root`;
  return {
    root,
    hashPrograms: async () => {
      const hashing = spawn("sh", ["-c", `sha256sum ${root}/proc/[0-9]*/exe`], { stdio: "ignore" });
      await once(hashing, "exit");
    },
    execute: async (found) => {
      const startedAt = performance.now();
      const pid = Number(await ask("\n"));
      while (!found.has(pid)) await new Promise((resolve) => setTimeout(resolve, 1));
      return (found.get(pid) ?? 0) - startedAt;
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(shell, "exit");
      shell.kill("SIGKILL");
      await ended;
    },
  };
}
