import { writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { appliesTo, parseFaultPlan } from "./fault-plan.ts";
import type { Fault, FaultReport, StepKind } from "./fault-plan.ts";
import { FlushedState } from "./flushed-state.ts";

const plan = parseFaultPlan(process.env["FAULT_PLAN"]);
const { point } = plan;
const steps: FaultReport["steps"] = [];
let applicable = 0;
let metAt: number | undefined;

/** Kept when the power is going to fail. */
export const flushed = point?.fault === "power-lost" || point?.fault === "power-torn" ? new FlushedState(plan.directory) : undefined;

process.on("exit", () => report());

function report(commit?: FaultReport["commit"]): void {
  writeFileSync(plan.report, JSON.stringify({ steps, metAt, flushed, commit }));
}

export function isOnDisk(path: string): boolean {
  return !relative(plan.directory, resolve(path)).startsWith("..");
}

/** Counts a step; returns what goes wrong at it. */
export function arrive(kind: StepKind, path: string): Fault | undefined {
  if (!isOnDisk(path)) return undefined;
  steps.push({ kind, path: relative(plan.directory, path) });
  if (point === undefined || !appliesTo(point.fault, kind)) return undefined;
  applicable += 1;
  if (applicable < point.ordinal || (applicable > point.ordinal && point.fault !== "no-space")) return undefined;
  metAt ??= steps.length - 1;
  return point.fault;
}

/** The end of this process, as by `kill -9`. */
export function die(commit?: FaultReport["commit"]): never {
  report(commit);
  process.kill(process.pid, "SIGKILL");
  throw new Error("unreachable: the process was killed");
}

export type FileStep<Result> = {
  readonly kind: StepKind;
  readonly path: string;
  readonly act: () => Promise<Result>;
  /** Does the first half of it, at once. */
  readonly half?: () => Result;
};

/** Takes a step on files, or does what the fault says instead. */
export async function takeStep<Result>({ kind, path, act, half }: FileStep<Result>): Promise<Result> {
  const fault = arrive(kind, path);
  switch (fault) {
    case "kill":
    case "power-lost":
      return die();
    case "power-torn":
      if (!kind.startsWith("sync")) await act();
      return die();
    case "torn-write":
      half?.();
      return die();
    case "short-write":
      return half === undefined ? act() : half();
    case "no-space":
      half?.();
      throw fileError("ENOSPC", { kind, path });
    case "late-io-error":
      await act();
      throw fileError("EIO", { kind, path });
    case "io-error":
      throw fileError("EIO", { kind, path });
    default:
      return act();
  }
}

function fileError(code: "EIO" | "ENOSPC", { kind, path }: { kind: StepKind; path: string }): Error {
  const words = code === "EIO" ? "i/o error" : "no space left on device";
  return Object.assign(new Error(`${code}: ${words}, ${kind} '${path}'`), { code, path });
}
