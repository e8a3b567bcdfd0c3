import { findingKeyOf } from "@quorate/host/runtime/runtime-class";
import { type RuntimeReport, loudFindings, runtimeFindingLine } from "../runtime-report.ts";
import type { Terminal } from "../terminal.ts";

/** Findings are said once, and again when they were gone for a sweep. */
export class SaidFindings {
  readonly #terminal: Terminal;
  readonly #isJson: boolean;
  #said = new Set<string>();
  #outcome: string | undefined;

  constructor(terminal: Terminal, isJson: boolean) {
    this.#terminal = terminal;
    this.#isJson = isJson;
  }

  add({ sweep }: RuntimeReport): void {
    for (const finding of loudFindings(sweep)) {
      if (this.#said.has(findingKeyOf(finding))) continue;
      this.#said.add(findingKeyOf(finding));
      if (this.#isJson) this.#terminal.printJson({ at: new Date().toISOString(), ...finding });
      else this.#terminal.print(runtimeFindingLine(finding));
    }
  }

  sweep(report: RuntimeReport): void {
    const found = new Set(loudFindings(report.sweep).map(findingKeyOf));
    this.#said = new Set([...this.#said].filter((key) => found.has(key)));
    this.add(report);
    if (report.outcome === this.#outcome) return;
    this.#outcome = report.outcome;
    if (this.#isJson)
      this.#terminal.printJson({ at: new Date().toISOString(), outcome: report.outcome, processes: report.sweep.processes });
    else this.#terminal.print(`${report.subject}: ${report.outcome}, ${report.sweep.processes} processes`);
  }
}
