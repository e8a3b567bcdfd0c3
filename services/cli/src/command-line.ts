import { parseArgs } from "node:util";
import { CommandError, errorLine, exitCodes, type ExitCode } from "./command-error.ts";
import type { VerifyOptions } from "./commands/verify.ts";
import type { CommandContext } from "./context.ts";
import type { Environment } from "./environment.ts";
import { processTerminal } from "./terminal.ts";

/**
 * Runs one command and answers its exit code; what goes wrong is one line on standard error. A command whose output is closed is ended, and
 * says nothing of it; one that had come to its end has its own exit code.
 */
export async function runCommandLine(argv: readonly string[], env: Environment): Promise<ExitCode> {
  const ending = new AbortController();
  const end = (message: string, exitCode: ExitCode): void => ending.abort(new CommandError(message, { exitCode }));
  const terminal = processTerminal(env, () => end("its output was closed", exitCodes.outputClosed));
  const interrupt = (): void => end("interrupted", exitCodes.interrupted);
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    return await runCommand(argv, { terminal, env, signal: ending.signal });
  } catch (error) {
    const failure: unknown = ending.signal.aborted ? ending.signal.reason : error;
    const exitCode = failure instanceof CommandError ? failure.exitCode : exitCodes.failed;
    if (exitCode !== exitCodes.outputClosed) terminal.say(`quorate: ${errorLine(failure)}`);
    return exitCode;
  }
}

async function runCommand(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  const verification = parseOfflineVerification(argv);
  if (verification) return (await import("./commands/verify.ts")).runVerify(verification.file, verification.options, context);
  return (await import("./program.ts")).runProgram(argv, context);
}

/**
 * The offline form of `quorate verify`, which scripts run for every package: loading the program of all commands would take a large part of
 * its time. Whatever else the arguments say, mistakes included, is for that program.
 */
export function parseOfflineVerification(argv: readonly string[]): { file: string; options: VerifyOptions } | undefined {
  const [command, ...rest] = argv;
  if (command !== "verify") return undefined;
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: {
        proof: { type: "string" },
        policy: { type: "string" },
        "trusted-root": { type: "string" },
        json: { type: "boolean" },
      },
      allowPositionals: true,
    });
    const [file, ...more] = positionals;
    const isWhole = file !== undefined && more.length === 0 && values.proof !== undefined && values.policy !== undefined;
    const { "trusted-root": trustedRoot, ...options } = values;
    return isWhole ? { file, options: { ...options, ...(trustedRoot !== undefined && { trustedRoot }) } } : undefined;
  } catch {
    return undefined;
  }
}
