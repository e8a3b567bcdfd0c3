import { readFile } from "node:fs/promises";

/** The suite that this host runs, if it is a Debian; else the one that the demonstration's package is known to reproduce in. */
export async function hostSuite(): Promise<string> {
  return suiteOf(await readFile("/etc/os-release", "utf8").catch(() => "")) ?? "bookworm";
}

/** From the text of an os-release(5) file: its VERSION_CODENAME, where ID is `debian`. */
export function suiteOf(osRelease: string): string | undefined {
  const valueOf = (name: string): string | undefined => new RegExp(`^${name}="?([a-z][a-z0-9-]*)"?$`, "m").exec(osRelease)?.[1];
  return valueOf("ID") === "debian" ? valueOf("VERSION_CODENAME") : undefined;
}
