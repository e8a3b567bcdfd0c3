import type { Environment } from "./environment.ts";

/** Where a command writes: results on standard output, everything that is said on the way on standard error. */
export interface Terminal {
  /** A line of the result. */
  print(line: string): void;
  /** The result as JSON: one object, nothing else on standard output. */
  printJson(value: unknown): void;
  /** A line for people. */
  say(line: string): void;
  /** Whether people watch: lines may be redrawn. */
  readonly live: boolean;
  readonly columns: number;
  readonly rows: number;
  /** Writes to the terminal as is: cursor movements and colours. */
  draw(text: string): void;
}

/** @param onClosed called when nobody reads what is written any more, as after `| head` */
export function processTerminal(env: Environment, onClosed: () => void): Terminal {
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      onClosed();
    });
  }
  return {
    print: (line) => void stdout.write(`${line}\n`),
    printJson: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    say: (line) => void stderr.write(`${line}\n`),
    live: stderr.isTTY && env["TERM"] !== "dumb",
    get columns() {
      return stderr.columns ?? 80;
    },
    get rows() {
      return stderr.rows ?? 24;
    },
    draw: (text) => void stderr.write(text),
  };
}
