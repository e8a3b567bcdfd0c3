import type { Failure } from "@quorate/protocol/result";

/** Ends a build with an outcome of its own: not a broken promise of this program, but something that a result can say. */
export class BuildFailure extends Error {
  override readonly name = "BuildFailure";
  readonly failure: Failure;

  constructor(reason: Failure["reason"], { step, message }: { step: string; message: string }, options?: { cause?: unknown }) {
    super(message, options);
    this.failure = { reason, step, message: oneLine(message) };
  }
}

/** Text from programs and archives as one line that a result may hold. */
export function oneLine(text: string): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replace(/[\u202a-\u202e\u2066-\u2069]/gu, "")
    .trim();
  return (line.length > 480 ? `${line.slice(0, 480).toWellFormed()} …` : line) || "no message";
}

/** The outcome that an error stands for: what no part of the build has named is the machine's own trouble. */
export function failureOf(error: unknown, step: string): Failure {
  if (error instanceof BuildFailure) return error.failure;
  const message = oneLine(error instanceof Error ? error.message : String(error));
  return { reason: codeOf(error) === "ENOSPC" ? "out-of-resources" : "infrastructure", step, message };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
