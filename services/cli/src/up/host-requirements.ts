import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import { requireBuildHost } from "../operator/inspect-host.ts";
import type { HostEnvironment } from "./host-environment.ts";

/** Programs of a network's own children, with the Debian packages that have them. */
const programs = { "redis-server": "redis-server", "nats-server": "nats-server", setpriv: "util-linux" };

/** Before anything is written or started. @throws CommandError that says what this host lacks */
export async function requireHost({ variables }: HostEnvironment): Promise<void> {
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(programs)) {
    if (!(await isInstalled(program, variables["PATH"] ?? ""))) missing.push(debianPackage);
  }
  if (missing.length > 0) {
    throw new CommandError(`starting a network: install these packages first: ${missing.join(" ")}; ./bootstrap.sh does that`);
  }
  await requireBuildHost("starting a network", variables);
}

async function isInstalled(program: string, path: string): Promise<boolean> {
  const tries = path.split(":").map((directory) => access(join(directory, program), constants.X_OK));
  return (await Promise.allSettled(tries)).some(({ status }) => status === "fulfilled");
}
