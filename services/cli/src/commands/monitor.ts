import { setTimeout as delay } from "node:timers/promises";
import { exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { holdDirectory } from "../held-directory.ts";
import { alertLine } from "../monitor/alert.ts";
import { lookOnce } from "../monitor/look-once.ts";
import { openWatch, type WatchOptions } from "../monitor/watch.ts";

export type MonitorOptions = WatchOptions & {
  once?: boolean | undefined;
  interval?: number | undefined;
  json?: boolean | undefined;
};

const defaultIntervalSeconds = 60;

/** `quorate monitor DIR`: keeps every checkpoint that the log, its witnesses and mirrors show, and alerts when they contradict each other. */
export async function runMonitor(directory: string, options: MonitorOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  using held = new DisposableStack();
  held.use(await holdDirectory(directory));
  const watch = await openWatch(directory, options, context);
  for (;;) {
    const alerts = await lookOnce(watch);
    for (const alert of alerts) {
      if (options.json) terminal.printJson(alert);
      else terminal.print(alertLine(alert));
    }
    if (alerts.length === 0 && !options.json) {
      terminal.say(`${watch.logKey.name}: ${watch.seen.largest?.checkpoint.size ?? 0} entries, nothing to report`);
    }
    if (options.once) return alerts.length === 0 ? exitCodes.ok : exitCodes.refuted;
    await delay((options.interval ?? defaultIntervalSeconds) * 1000, undefined, { signal });
  }
}
