import { FileHasher } from "@quorate/host/file-hasher";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import type { SnapshotOptions } from "../host-snapshot.ts";
import { loadJitPolicy } from "../jit-policy-file.ts";
import { outcomeExitCodes } from "../outcome-exit-codes.ts";
import { runtimeJson, runtimeLines } from "../runtime-report.ts";
import { FleetReporter, heartbeatSeconds } from "../watch/fleet-reporter.ts";
import { SaidFindings } from "../watch/said-findings.ts";
import { WatchMetrics } from "../watch/watch-metrics.ts";
import { watchProcesses } from "../watch/watch-processes.ts";
import { WatchedHost } from "../watch/watched-host.ts";

export type WatchOptions = SnapshotOptions & {
  root?: string | undefined;
  jit?: string | undefined;
  once?: boolean | undefined;
  interval?: number | undefined;
  fleet?: string | undefined;
  key?: string | undefined;
  metrics?: { host: string; port: number } | undefined;
  json?: boolean | undefined;
};

const defaultIntervalSeconds = 10;
const defaultKey = "/var/lib/quorate-watch/key";

/** `quorate watch`: what every process runs, compared with what the quorum rebuilt; offline. */
export async function runWatch(options: WatchOptions, context: CommandContext): Promise<ExitCode> {
  checkFleetOptions(options);
  await using hasher = new FileHasher();
  const subject = options.root ?? "/";
  try {
    const host = new WatchedHost(subject, options, { hasher, jit: await loadJitPolicy(options.jit) });
    if (options.once !== true) return await watchOn(host, options, context);
    const report = await host.sweep(1);
    const evidence = await host.gatherEvidence(report.sweep);
    if (options.json) context.terminal.printJson(runtimeJson(report, evidence));
    else for (const line of runtimeLines(report, evidence)) context.terminal.print(line);
    return outcomeExitCodes[report.outcome];
  } catch (cause) {
    context.signal.throwIfAborted();
    throw new CommandError(`watching ${subject}: ${errorLine(cause)}`, { exitCode: exitCodes.notReproduced, cause });
  }
}

/** A host that reports less often than its fleet expects has failed there. */
function checkFleetOptions({ fleet, once, interval = defaultIntervalSeconds }: WatchOptions): void {
  const exitCode = exitCodes.notReproduced;
  if (fleet === undefined) return;
  if (once === true) throw new CommandError("watching: --once sends no reports; give it or --fleet", { exitCode });
  if (interval > heartbeatSeconds)
    throw new CommandError(`watching: with --fleet a host is looked at at least every ${heartbeatSeconds} s; give a smaller --interval`, {
      exitCode,
    });
}

/** Says what is found when it is found first, and how each sweep ends when that has changed. */
async function watchOn(host: WatchedHost, options: WatchOptions, { terminal, signal }: CommandContext): Promise<ExitCode> {
  await using stack = new AsyncDisposableStack();
  const metrics = new WatchMetrics();
  if (options.metrics !== undefined) {
    const served = stack.use(await metrics.serve(options.metrics, terminal));
    terminal.say(`metrics are at ${served.url}/metrics`);
  }
  // The host is watched all the same; to the fleet it is silent, which is a failure there.
  const onError = (error: unknown) => terminal.say(`quorate: ${errorLine(error)}`);
  const reporter =
    options.fleet === undefined ? undefined : stack.use(new FleetReporter(options.fleet, options.key ?? defaultKey, { host, onError }));
  if (reporter !== undefined) terminal.say(`the fleet takes reports of this host with this line in its hosts file:\n${reporter.enrolment}`);
  const said = new SaidFindings(terminal, options.json === true);
  await watchProcesses({
    host,
    intervalSeconds: options.interval ?? defaultIntervalSeconds,
    onSweep: (report, seconds) => {
      metrics.swept(report, seconds);
      said.sweep(report);
      reporter?.report(report);
    },
    onNew: (report) => {
      metrics.lookedAtNew(report.sweep.processes);
      said.add(report);
    },
    signal,
  });
  return exitCodes.interrupted;
}
