import { execFile } from "node:child_process";
import { dirname, join } from "node:path";

export type Answer = { code: number; stdout: string; stderr: string; milliseconds: number };

export const program = join(dirname(import.meta.dirname), "services/cli/src/main.ts");

/** Runs the `quorate` command as a user would; `offline` in a network namespace without any interface. */
export async function quorate(
  words: readonly string[],
  options: { offline?: boolean; env?: Record<string, string> } = {},
): Promise<Answer> {
  return await quorateUnder(options.offline ? ["unshare", "--net"] : [], words, options.env);
}

/** As `quorate`, started by another command. */
export async function quorateUnder(
  starter: readonly string[],
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<Answer> {
  const [file = "", ...rest] = [...starter, process.execPath, program, ...words];
  const startedAt = performance.now();
  return await new Promise((resolve) => {
    execFile(file, rest, { env: { ...process.env, ...env }, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr, milliseconds: performance.now() - startedAt });
    });
  });
}
