import { z } from "zod";

/** What a process does to its storage, one step at a time; `sync-all` flushes the file system, `commit` is a whole transaction of SQLite. */
export const stepKinds = [
  "mkdir",
  "create",
  "write",
  "truncate",
  "sync",
  "rename",
  "remove",
  "sync-directory",
  "sync-all",
  "commit",
] as const;
export type StepKind = (typeof stepKinds)[number];

const writing: readonly StepKind[] = ["write"];
const growing: readonly StepKind[] = ["mkdir", "create", "write", "sync", "sync-all", "rename", "commit"];

/** What can go wrong at a step, and at the steps of which kinds. */
const faultSteps = {
  /** SIGKILL before the step. */
  kill: stepKinds,
  /** SIGKILL when half is written. */
  "torn-write": writing,
  /** EIO, and nothing was done. */
  "io-error": stepKinds,
  /** EIO, and yet it was done. */
  "late-io-error": ["write", "rename", "commit"],
  /** Half is written, and the call says so. */
  "short-write": writing,
  /** ENOSPC from this step on. */
  "no-space": growing,
  /** The power fails before the step: everything that was not flushed is lost. */
  "power-lost": stepKinds,
  /** The power fails at the step: of what was not flushed some is there, some is not, some is there in part. */
  "power-torn": stepKinds,
} satisfies Record<string, readonly StepKind[]>;

export type Fault = keyof typeof faultSteps;
export const faults = ["kill", "torn-write", "io-error", "late-io-error", "short-write", "no-space", "power-lost", "power-torn"] as const;

export function appliesTo(fault: Fault, kind: StepKind): boolean {
  const kinds: readonly StepKind[] = faultSteps[fault];
  return kinds.includes(kind);
}

const planSchema = z.object({
  /** Only steps in here count. */
  directory: z.string(),
  /** Where the process says which steps it took and what it met. */
  report: z.string(),
  /** Nothing goes wrong without. */
  point: z.object({ fault: z.enum(faults), ordinal: z.int().positive() }).optional(),
});

/** `point`: the n-th of the steps to which the fault applies, counted from 1. */
export type FaultPlan = z.infer<typeof planSchema>;

export function parseFaultPlan(text: string | undefined): FaultPlan {
  return planSchema.parse(JSON.parse(text ?? "null"));
}

const reportSchema = z.object({
  steps: z.array(z.object({ kind: z.enum(stepKinds), path: z.string() })),
  /** Index in `steps` at which the fault came. */
  metAt: z.int().optional(),
  /** What the power failure left for certain. */
  flushed: z
    .object({
      contents: z.array(z.base64()),
      contentOfInode: z.array(z.tuple([z.int(), z.int()])),
      directories: z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), z.int().nullable()]))])),
    })
    .optional(),
  /** The write-ahead log that the power failure met in the middle of a commit, and its length before that. */
  commit: z.object({ walPath: z.string(), lengthBytes: z.int() }).optional(),
});

export type FaultReport = z.infer<typeof reportSchema>;
export type FlushedFiles = NonNullable<FaultReport["flushed"]>;

export function parseFaultReport(text: string): FaultReport {
  return reportSchema.parse(JSON.parse(text));
}
