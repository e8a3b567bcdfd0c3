import { setTimeout as delay } from "node:timers/promises";
import type { RuntimeReport } from "../runtime-report.ts";
import { NewPrograms } from "./new-programs.ts";
import type { WatchedHost } from "./watched-host.ts";

/** Between two looks for new processes; from an execution to its verdict it takes no longer than this and a small sweep. */
export const lookIntervalMilliseconds = 250;

/** In a minute of sweeps nearly every process's text was looked at; all of it each time would take most of a sweep. */
export const textShare = 0.3;

export type Watching = {
  readonly host: Pick<WatchedHost, "root" | "sweep">;
  readonly intervalSeconds: number;
  readonly onSweep: (report: RuntimeReport, seconds: number) => void;
  /** Of a sweep of processes that are new, or execute something new. */
  readonly onNew: (report: RuntimeReport) => void;
  readonly signal: AbortSignal;
};

/** Sweeps all processes every so often, and those that are new in between, until the signal; what is under way is finished. */
export async function watchProcesses({ host, intervalSeconds, onSweep, onNew, signal }: Watching): Promise<void> {
  const programs = new NewPrograms(host.root);
  while (!signal.aborted) {
    const startedAt = performance.now();
    programs.look(startedAt);
    const report = await host.sweep(textShare);
    onSweep(report, (performance.now() - startedAt) / 1000);
    const nextAt = startedAt + intervalSeconds * 1000;
    while (performance.now() < nextAt && (await passes(lookIntervalMilliseconds, signal))) {
      const pids = programs.look(performance.now());
      if (pids.length > 0) onNew(await host.sweep(1, pids));
    }
  }
}

/** Whether the time passed before the signal. */
async function passes(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
