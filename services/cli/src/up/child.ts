import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { rotateLog, startComplaint } from "./child-log.ts";

export type ChildSpecification = {
  /** What people call it, such as `witness-2`; also its log's file name. */
  name: string;
  command: string;
  arguments: readonly string[];
  environment: Readonly<Record<string, string>>;
  logPath: string;
  /** Resolves when the child can do its work; rejects when the signal aborts. */
  ready(signal: AbortSignal): Promise<void>;
  /** From SIGTERM to SIGKILL. */
  stopSeconds: number;
};

export type ChildEvent =
  | { kind: "ready"; name: string; seconds: number }
  | { kind: "crashed"; name: string; how: string; restartSeconds: number; logPath: string }
  | { kind: "killed"; name: string; reason: string };

export interface Child {
  readonly name: string;
  pid(): number | undefined;
  stop(): Promise<void>;
  /** Ends it at once, without a chance to finish what it does. */
  kill(): void;
}

export type StartOptions = {
  report: (event: ChildEvent) => void;
  /** Gives up the start; a child that is ready is stopped by `stop`. */
  signal: AbortSignal;
};

/** A child never came up. */
export class ChildStartError extends Error {
  constructor(name: string, reason: string, options?: { cause?: unknown }) {
    super(`starting ${name}: ${reason}`, options);
    this.name = "ChildStartError";
  }
}

const startSeconds = 60;
const longestBackoffSeconds = 10;
/** A child that ran this long before it crashed is restarted as if for the first time. */
const steadySeconds = 60;

/**
 * Starts a child process, waits until it is ready, and from then on restarts it, with backoff, whenever it ends by itself.
 * The kernel kills it when this process ends, however this process ends.
 *
 * @throws ChildStartError, with the end of its log, when it does not become ready
 */
export async function startChild(specification: ChildSpecification, { report, signal }: StartOptions): Promise<Child> {
  signal.throwIfAborted();
  const stopping = new AbortController();
  const startedAt = performance.now();
  let running = spawnChild(specification);
  await becomeReady(specification, running, signal);
  report({ kind: "ready", name: specification.name, seconds: (performance.now() - startedAt) / 1000 });

  const supervision = (async () => {
    for (let backoffSeconds = 0.25; ; backoffSeconds = Math.min(longestBackoffSeconds, backoffSeconds * 2)) {
      const runningSince = performance.now();
      const how = await running.ended;
      if (stopping.signal.aborted) return;
      if (performance.now() - runningSince > steadySeconds * 1000) backoffSeconds = 0.25;
      report({ kind: "crashed", name: specification.name, how, restartSeconds: backoffSeconds, logPath: specification.logPath });
      await delay(backoffSeconds * 1000, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      running = spawnChild(specification);
      await announceReady(specification, running, { report, signal: stopping.signal });
    }
  })();

  return {
    name: specification.name,
    pid: () => running.process.pid,
    async stop() {
      stopping.abort();
      await endChild(specification, running, report);
      await supervision;
    },
    kill() {
      stopping.abort();
      signalGroup(running.process, "SIGKILL");
    },
  };
}

type Running = { process: ChildProcess; /** How it ended, in words. */ ended: Promise<string> };

function spawnChild({ command, arguments: argv, environment, logPath }: ChildSpecification): Running {
  rotateLog(logPath);
  const log = openSync(logPath, "a", 0o600);
  try {
    // An own process group: a terminal's Ctrl-C must reach this process alone, which then stops its children in order.
    const process = spawn("setpriv", ["--pdeathsig", "KILL", "--", command, ...argv], {
      env: { ...environment },
      stdio: ["ignore", log, log],
      detached: true,
    });
    const ended = new Promise<string>((resolve) => {
      process.once("error", (error) => resolve(error.message));
      process.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    return { process, ended };
  } finally {
    closeSync(log);
  }
}

async function becomeReady(specification: ChildSpecification, running: Running, signal: AbortSignal): Promise<void> {
  const waiting = new AbortController();
  const deadline = AbortSignal.timeout(startSeconds * 1000);
  const ready = specification.ready(AbortSignal.any([waiting.signal, deadline, signal])).then(() => undefined);
  try {
    const ended = await Promise.race([ready, running.ended]);
    if (ended !== undefined) throw new ChildStartError(specification.name, `it ended (${ended})${startComplaint(specification.logPath)}`);
  } catch (cause) {
    signalGroup(running.process, "SIGKILL");
    if (!deadline.aborted) throw cause;
    throw new ChildStartError(specification.name, `it was not ready within ${startSeconds} s${startComplaint(specification.logPath)}`, {
      cause,
    });
  } finally {
    waiting.abort();
    ready.catch(() => {});
  }
}

/** After a restart: a child that ends again before it is ready is the supervision's next round, not an error here. */
async function announceReady(specification: ChildSpecification, running: Running, { report, signal }: StartOptions): Promise<void> {
  const startedAt = performance.now();
  await becomeReady(specification, running, signal).then(
    () => report({ kind: "ready", name: specification.name, seconds: (performance.now() - startedAt) / 1000 }),
    () => {},
  );
}

async function endChild(
  specification: ChildSpecification,
  { process, ended }: Running,
  report: (event: ChildEvent) => void,
): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  process.kill("SIGTERM");
  const deadline = new AbortController();
  const late = delay(specification.stopSeconds * 1000, "late", { signal: deadline.signal }).catch(() => "ended");
  const outcome = await Promise.race([ended, late]);
  deadline.abort();
  if (outcome !== "late") return;
  report({ kind: "killed", name: specification.name, reason: `it did not stop within ${specification.stopSeconds} s` });
  signalGroup(process, "SIGKILL");
  await once(process, "exit");
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
