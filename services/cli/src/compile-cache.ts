import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "./environment.ts";

/** Compiled modules, for this and the next version alike: Node keys them by their content. */
export function compileCacheDirectory(env: Environment): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "quorate", "node");
}
