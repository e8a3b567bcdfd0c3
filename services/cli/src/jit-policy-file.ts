import { readFile } from "node:fs/promises";
import { type JitPolicy, parseJitPolicy, usualJitPolicy } from "@quorate/host/runtime/jit-policy";

/**
 * @param path of `--jit`; some of Debian's packages may make code in memory without it
 * @throws Error, ParseError
 */
export async function loadJitPolicy(path: string | undefined): Promise<JitPolicy> {
  return path === undefined ? usualJitPolicy : parseJitPolicy(await readFile(path));
}
