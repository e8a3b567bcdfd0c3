import { pino } from "pino";
import type { DestinationStream, Level, Logger } from "pino";

export type { Logger } from "pino";

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = Level | "silent";

const secretFields = ["authorization", "token", "secret", "password", "seed", "privateKey", "credentials"];

/**
 * One JSON object a line on standard output (or `destination`). Fields that carry secrets by name are cut out, at the top and one level down.
 * Writing is synchronous, so that the last line before an exit is not lost.
 */
export function createLogger(options: { name: string; level?: LogLevel; destination?: DestinationStream }): Logger {
  return pino(
    {
      name: options.name,
      level: options.level ?? "info",
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** A logger that writes nothing, for callers (mostly tests) that watch something else. */
export const silentLogger: Logger = pino({ level: "silent" });
