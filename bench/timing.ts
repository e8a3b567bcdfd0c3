import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const repetitions = 3;

/** Seconds of the fastest of three runs. */
export async function fastest(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < repetitions; run += 1) times.push(await timeOf(work));
  return Math.min(...times);
}

export async function timeOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** Runs a program to its end; what it finds is not looked at. */
export async function feed(program: string, words: readonly string[], input: string): Promise<void> {
  const child = spawn(program, words, { stdio: ["pipe", "ignore", "ignore"] });
  const ended = new Promise<void>((resolve, reject) => child.once("error", reject).once("close", () => resolve()));
  await Promise.all([pipeline(Readable.from([Buffer.from(input)]), child.stdin).catch(() => undefined), ended]);
}
