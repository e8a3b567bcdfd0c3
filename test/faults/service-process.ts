import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { endsWithThis } from "@quorate/bus/ends-with-this.fixture";
import { parseFaultReport } from "./fault-plan.ts";
import type { FaultPlan, FaultReport } from "./fault-plan.ts";

const root = join(import.meta.dirname, "../..");

/** No step takes so long; a process that does not end by then hangs. */
const stopMilliseconds = 20_000;

export type FaultedProcess = {
  /** Where it listens; undefined when it ended before. */
  readonly url: string | undefined;
  readonly ended: () => boolean;
  kill(): Promise<void>;
  /** SIGTERM, unless it has ended; what it met, and its words on the way. */
  stop(): Promise<{ report: FaultReport; output: string; hung: boolean }>;
};

/** Starts a service from its own main.ts on the disk of the plan. */
export async function startFaulted(
  service: "log" | "witness",
  { plan, env }: { plan: FaultPlan; env: Record<string, string> },
): Promise<FaultedProcess> {
  await rm(plan.report, { force: true });
  const preload = join(import.meta.dirname, "faulty-disk.ts");
  const program = join(root, "services", service, "src/main.ts");
  const child = spawn("setpriv", [...endsWithThis, process.execPath, "--import", preload, program], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, FAULT_PLAN: JSON.stringify(plan), NODE_COMPILE_CACHE: join(root, "node_modules/.cache/faults") },
  });
  const exited = once(child, "exit");
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const url = await listeningUrl(child, (line) => (output += `${line}\n`));
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  const stop = async () => {
    let hung = false;
    if (!ended()) child.kill("SIGTERM");
    const late = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, stopMilliseconds);
    await exited;
    clearTimeout(late);
    if (!existsSync(plan.report)) throw new Error(`a ${service} with a faulty disk ended without its report:\n${output}`);
    return { report: parseFaultReport(await readFile(plan.report, "utf8")), output, hung };
  };
  return { url, ended, kill, stop };
}

async function listeningUrl(child: ChildProcess, say: (line: string) => void): Promise<string | undefined> {
  if (child.stdout === null) throw new Error("starting a service: it has no output");
  const lines = createInterface({ input: child.stdout });
  lines.on("line", say);
  const listening = Promise.withResolvers<string | undefined>();
  lines.on("line", (line) => {
    const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
    if (url !== undefined) listening.resolve(url);
  });
  lines.on("close", () => listening.resolve(undefined));
  return listening.promise;
}
