import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CommandError, errorLine } from "../command-error.ts";
import type { HostEnvironment } from "./host-environment.ts";

/** Programs of a network's own children, with the Debian packages that have them. */
const programs = { "redis-server": "redis-server", "nats-server": "nats-server", setpriv: "util-linux" };

const workerCheck = fileURLToPath(new URL("../../../worker/src/check-host-main.ts", import.meta.url));

/** Before anything is written or started. @throws CommandError that says what this host lacks */
export async function requireHost({ variables }: HostEnvironment): Promise<void> {
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(programs)) {
    if (!(await isInstalled(program, variables["PATH"] ?? ""))) missing.push(debianPackage);
  }
  if (missing.length > 0) {
    throw new CommandError(`starting a network: install these packages first: ${missing.join(" ")}; ./bootstrap.sh does that`);
  }
  try {
    await promisify(execFile)(process.execPath, [workerCheck], { env: variables, timeout: 60_000 });
  } catch (cause) {
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
    throw new CommandError(`starting a network: ${said || errorLine(cause)}`);
  }
}

async function isInstalled(program: string, path: string): Promise<boolean> {
  const tries = path.split(":").map((directory) => access(join(directory, program), constants.X_OK));
  return (await Promise.allSettled(tries)).some(({ status }) => status === "fulfilled");
}
