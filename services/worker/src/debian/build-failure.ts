import type { Failure } from "@quorate/protocol/result";
import { plainLine } from "../plain-line.ts";

/** Ends a build with an outcome of its own: not a broken promise of this program, but something that a result can say. */
export class BuildFailure extends Error {
  override readonly name = "BuildFailure";
  readonly failure: Failure;

  constructor(reason: Failure["reason"], { step, message }: { step: string; message: string }, options?: { cause?: unknown }) {
    super(message, options);
    this.failure = { reason, step, message: plainLine(message, 500) };
  }
}

/** The outcome that an error stands for: what no part of the build has named is the machine's own trouble. */
export function failureOf(error: unknown, step: string): Failure {
  if (error instanceof BuildFailure) return error.failure;
  const message = plainLine(error instanceof Error ? error.message : String(error), 500);
  return { reason: codeOf(error) === "ENOSPC" ? "out-of-resources" : "infrastructure", step, message };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
