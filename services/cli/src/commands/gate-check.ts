import { readFile } from "node:fs/promises";
import type { GatedPackage } from "@quorate/host/gate";
import { packageNamedBy, parseLockFile } from "@quorate/host/lock-file";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { gatePackages, gatedLine, hashPackageFiles } from "../gate-packages.ts";
import { type SnapshotOptions, openSnapshot } from "../host-snapshot.ts";

export type GateCheckOptions = SnapshotOptions & { lockfile?: string | undefined; json?: boolean | undefined };

/** `quorate gate check (FILES… | --lockfile FILE)`: what the gate would say of package files, for scripts. */
export async function runGateCheck(paths: readonly string[], options: GateCheckOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const exitCode = exitCodes.notReproduced;
  if ((options.lockfile === undefined) === (paths.length === 0))
    throw new CommandError("checking package files: give files, or --lockfile FILE", { exitCode });
  const snapshot = await openSnapshot(options);
  const packages = await packagesOf(paths, options.lockfile, signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new CommandError(`checking package files: ${errorLine(cause)}`, { exitCode, cause });
  });
  const results = gatePackages(packages, { snapshot, exceptions: [] });
  if (options.json) terminal.printJson({ results, freshness: snapshot.freshness });
  else for (const result of results) terminal.print(gatedLine(result));
  if (results.some(({ kind }) => kind === "other-bytes")) return exitCodes.refuted;
  if (snapshot.freshness.kind !== "fresh") return exitCode;
  return results.every(({ kind }) => kind === "verified") ? exitCodes.ok : exitCodes.failed;
}

async function packagesOf(paths: readonly string[], lockFile: string | undefined, signal: AbortSignal): Promise<GatedPackage[]> {
  if (lockFile !== undefined) return parseLockFile(await readFile(lockFile, "utf8"));
  return await hashPackageFiles(
    paths.map((path) => ({ path, ...packageNamedBy(path) })),
    signal,
  );
}
