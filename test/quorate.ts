import { execFile } from "node:child_process";
import { dirname, join } from "node:path";

export type Answer = { code: number; stdout: string; stderr: string; milliseconds: number };

const program = join(dirname(import.meta.dirname), "services/cli/src/main.ts");

/** Runs the `quorate` command as a user would; `offline` in a network namespace without any interface. */
export async function quorate(
  words: readonly string[],
  options: { offline?: boolean; env?: Record<string, string> } = {},
): Promise<Answer> {
  const command = [process.execPath, program, ...words];
  const [file = "", ...rest] = options.offline ? ["unshare", "--net", ...command] : command;
  const startedAt = performance.now();
  return await new Promise((resolve) => {
    execFile(file, rest, { env: { ...process.env, ...options.env }, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr, milliseconds: performance.now() - startedAt });
    });
  });
}
