import { runtimeClasses } from "@quorate/host/runtime/runtime-class";
import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import { createLogger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import { type RuntimeReport, countRuntimeClasses } from "../runtime-report.ts";
import type { Terminal } from "../terminal.ts";

const outcomes = ["clean", "drift", "incomplete", "tampering"] as const;

/** What Prometheus is told of the sweeps of a host. */
export class WatchMetrics {
  readonly metrics = new Metrics();
  readonly #processes = this.metrics.gauge({ name: "quorate_watch_processes", help: "Processes at the last sweep." });
  readonly #findings = this.metrics.gauge({ name: "quorate_watch_findings", help: "Files and kinds of memory that run, by class." });
  readonly #outcome = this.metrics.gauge({ name: "quorate_watch_outcome", help: "1 for what the last sweep came to." });
  readonly #sweptAt = this.metrics.gauge({ name: "quorate_watch_swept_timestamp_seconds", help: "When the last sweep ended." });
  readonly #logSize = this.metrics.gauge({ name: "quorate_watch_log_entries", help: "Size of the log at the snapshot that is used." });
  readonly #sweepSeconds = this.metrics.histogram({ name: "quorate_watch_sweep_seconds", help: "Time that sweeps of all processes take." });
  readonly #newProcesses = this.metrics.counter({ name: "quorate_watch_new_processes_total", help: "Processes looked at between sweeps." });

  swept({ sweep, outcome, snapshot }: RuntimeReport, seconds: number): void {
    const counts = countRuntimeClasses(sweep.findings);
    for (const found of Object.keys(runtimeClasses)) this.#findings.set(0, { class: found });
    for (const [found, count] of counts) this.#findings.set(count, { class: found });
    for (const one of outcomes) this.#outcome.set(one === outcome ? 1 : 0, { outcome: one });
    this.#processes.set(sweep.processes);
    this.#logSize.set(snapshot.checkpoint.size);
    this.#sweptAt.set(Math.floor(Date.now() / 1000));
    this.#sweepSeconds.observe(seconds);
  }

  lookedAtNew(count: number): void {
    this.#newProcesses.add(count);
  }

  /** `/metrics` and `/health/live`. */
  async serve(address: { host: string; port: number }, terminal: Terminal): Promise<AsyncDisposable & { readonly url: string }> {
    const logger = createLogger({ name: "watch", level: "warn", destination: { write: (line) => terminal.say(line.trimEnd()) } });
    const app = createHttpApp({ logger, metrics: this.metrics });
    const url = await listen(app, address);
    return { url, [Symbol.asyncDispose]: async () => void (await app.close()) };
  }
}
