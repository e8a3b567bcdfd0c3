import { getSystemErrorMessage } from "node:util";

/** Exit codes of every command, as `--help` and docs/cli.md say. */
export const exitCodes = {
  ok: 0,
  /** The command could not do what was asked. */
  failed: 1,
  /** What was verified is not what it claims to be; also wrong usage has its own text, never this code. */
  refuted: 2,
  /** There is a verdict, and it is not `reproduced`. */
  notReproduced: 3,
  /** `worker`: it was dismissed, or its operator revoked or refused; as its service says so to a supervisor. */
  notPermitted: 77,
  interrupted: 130,
  /** Whoever read the output closed it before the command was done: what shells say of a program that SIGPIPE ended. */
  outputClosed: 141,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error that is for the person at the terminal: one line, and what to do next. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, options: { exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "CommandError";
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}

/** One line for any error: its message, and those of its causes that say more. */
export function errorLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message.replaceAll(/\s*\n\s*/g, " ");
  // What zod lists at length, whoever parses says in a few words.
  if (error.cause === undefined || error.cause === null || (error.cause instanceof Error && error.cause.name.endsWith("ZodError")))
    return own;
  const cause = errorLine(error.cause);
  return own.includes(cause) || own.includes(systemReason(error.cause) ?? cause) ? own : `${own}: ${cause}`;
}

/** The system's own words for what went wrong with a file, such as "no such file or directory". */
export function systemReason(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("errno" in error) || typeof error.errno !== "number") return undefined;
  return getSystemErrorMessage(error.errno);
}
