import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import type { Terminal } from "../terminal.ts";
import { workerLogLine } from "./worker-lines.ts";

const program = fileURLToPath(new URL("../../../worker/src/main.ts", import.meta.url));

type Watching = { terminal: Terminal; signal: AbortSignal; json: boolean };

/**
 * Runs the worker service until it ends; Ctrl-C and SIGTERM let it finish or give back what it holds. Its log is shown line by line, with
 * `json` as it is.
 *
 * @throws CommandError when it ends by itself with an error
 */
export async function runWorkerProcess(
  environment: Readonly<Record<string, string>>,
  { terminal, signal, json }: Watching,
): Promise<ExitCode> {
  signal.throwIfAborted();
  // An own process group: a terminal's Ctrl-C reaches this process alone. However this one ends, the kernel tells the worker to stop.
  const words = ["--pdeathsig", "TERM", "--", process.execPath, program];
  const worker = spawn("setpriv", words, { env: environment, stdio: ["ignore", "pipe", "inherit"], detached: true });
  const stop = (): void => void worker.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  const lines = createInterface({ input: worker.stdout });
  lines.on("line", (line) => (json ? terminal.print(line) : terminal.say(workerLogLine(line))));
  await once(worker, "exit");
  const { exitCode } = worker;
  signal.removeEventListener("abort", stop);
  if (exitCode === 0) return exitCodes.ok;
  if (exitCode === exitCodes.notPermitted) {
    throw new CommandError("running the worker: the network takes it no more; the line above says why", { exitCode });
  }
  const how = exitCode === null ? `signal ${worker.signalCode}` : `exit code ${exitCode}`;
  throw new CommandError(`running the worker: it ended with ${how}; the line above says why`);
}
