import { z } from "zod";
import { ConfigError, parseConfig, processEnvironment } from "./config.ts";
import type { Environment } from "./config.ts";
import { createLogger, logLevels } from "./logger.ts";
import type { Logger } from "./logger.ts";

export type ServiceContext = {
  readonly logger: Logger;
  readonly env: Environment;
  /** Aborted when the process was told to end, before the service is disposed. */
  readonly signal: AbortSignal;
  /** For a broken promise that no request can report: one line, exit code 1, so that a supervisor starts the service anew. */
  fail(error: unknown): void;
};

/** How long a service may take to finish what is under way; container runtimes kill after 10 seconds by default. */
const shutdownMilliseconds = 9_000;

const exitCode = { stopped: 0, failed: 1, shutdownTooSlow: 70, notPermitted: 77, badConfiguration: 78 } as const;

/** The service may not go on, nor if it were started again as it is: exit code 77, at which a supervisor is to leave it alone. */
export class NotPermittedError extends Error {}

/**
 * Runs a service as this process (`main.ts`): starts it, disposes of it at SIGTERM or SIGINT, and ends the process. A second signal ends it at
 * once. Anything fatal is one line on the log with its cause, and a non-zero exit code: 78 for a wrong configuration, 77 for what is not permitted, 1
 * for the rest.
 */
export async function runService(name: string, start: (context: ServiceContext) => Promise<AsyncDisposable>): Promise<void> {
  const logger = createLogger({ name, level: logLevelOf(name, processEnvironment) });
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
  const fail = (error: unknown): void => {
    // The stack of a wrong configuration says nothing that its message does not.
    if (error instanceof ConfigError) logger.fatal(error.message);
    else logger.fatal({ err: error }, messageOf(error));
    process.exit(exitCodeOf(error));
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
      logger.info({ signal }, "stopping");
      stop.abort(new Error(`stopping: ${signal}`));
      setTimeout(() => {
        logger.error(`stopping took longer than ${shutdownMilliseconds} ms; ending anyway`);
        process.exit(exitCode.shutdownTooSlow);
      }, shutdownMilliseconds).unref();
    });
  try {
    const service = await start({ logger, env: processEnvironment, signal: stop.signal, fail });
    await stopped;
    await service[Symbol.asyncDispose]();
  } catch (error) {
    // What was still waiting to start has been told to end.
    if (!(error instanceof Error && error.name === "AbortError" && error.cause === stop.signal.reason)) fail(error);
  }
  logger.info("stopped");
  process.exit(exitCode.stopped);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exitCode.badConfiguration;
  return error instanceof NotPermittedError ? exitCode.notPermitted : exitCode.failed;
}

const levelSchema = z.object({ LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(", ")}`).default("info") });

function logLevelOf(name: string, env: Environment) {
  try {
    return parseConfig(levelSchema, env).LOG_LEVEL;
  } catch (error) {
    createLogger({ name }).fatal(messageOf(error));
    process.exit(exitCode.badConfiguration);
  }
}

/** The message with those of its causes, in one line. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `: ${messageOf(error.cause)}`;
  return `${error.message}${cause}`.replaceAll("\n", " ");
}
