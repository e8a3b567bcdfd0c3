import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

/** What a process took: `cpuSeconds` of all its threads, up to a fifth of a second before its end. */
export type Usage = { readonly stdout: string; readonly wallSeconds: number; readonly cpuSeconds: number; readonly peakBytes: number };

const ticksPerSecond = 100;

/** Runs a program, and looks at what /proc says of it until it ends. @throws Error unless it ends with 0 */
export async function watchProcess(program: string, words: readonly string[]): Promise<Usage> {
  const startedAt = performance.now();
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const stdout = text(child.stdout);
  let seen = { cpuSeconds: 0, peakBytes: 0 };
  const looking = setInterval(() => void usageOf(child.pid).then((usage) => (seen = usage ?? seen)), 200);
  const [code] = await ended;
  clearInterval(looking);
  if (code !== 0) throw new Error(`running ${program} ${words.join(" ")}: it ended with ${code}`);
  return { stdout: await stdout, wallSeconds: (performance.now() - startedAt) / 1000, ...seen };
}

/** The most memory that a running process has had at once. */
export async function peakBytesOf(pid: number | undefined): Promise<number> {
  const usage = await usageOf(pid);
  if (usage === undefined) throw new Error(`looking at process ${pid}: it has ended`);
  return usage.peakBytes;
}

/** From proc_pid_stat(5) and proc_pid_status(5); `undefined` once the process is no more. */
async function usageOf(pid: number | undefined): Promise<{ cpuSeconds: number; peakBytes: number } | undefined> {
  const [stat, status] = await Promise.all(["stat", "status"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")));
  const [, userTicks, systemTicks] = /\) (?:\S+ ){11}(\d+) (\d+) /.exec(stat ?? "") ?? [];
  const [, peakKilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status ?? "") ?? [];
  if (userTicks === undefined || systemTicks === undefined || peakKilobytes === undefined) return undefined;
  return { cpuSeconds: (Number(userTicks) + Number(systemTicks)) / ticksPerSecond, peakBytes: Number(peakKilobytes) * 1024 };
}
