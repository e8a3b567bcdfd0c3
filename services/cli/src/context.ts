import type { Environment } from "./environment.ts";
import type { Terminal } from "./terminal.ts";

/** What every command is given besides its arguments. */
export type CommandContext = {
  terminal: Terminal;
  env: Environment;
  /** Aborts at Ctrl-C, and when nobody reads the output any more. */
  signal: AbortSignal;
};
