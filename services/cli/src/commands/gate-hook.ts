import "../interpreted-schemas.ts";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parsePreInstall } from "@quorate/debian/apt-pre-install";
import { type Gated, decideGate } from "@quorate/host/gate";
import { GatedFiles, gatedFilesPath } from "@quorate/host/gated-files";
import type { GateMode, GateSettings } from "@quorate/host/gate-settings";
import { makeDurableDirectory } from "@quorate/service/durable-file";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { gatePackages, gatedLine, hashPackageFiles } from "../gate-packages.ts";
import { requireGateSettings } from "../gate-settings-file.ts";
import { openSnapshot } from "../host-snapshot.ts";
import { readIfThere, saveFile } from "../own-files.ts";

/** `quorate gate hook`: what apt runs. Its exit code stops apt, or not; what is wrong is said in every mode but `observe`. */
export async function runGateHook({ settings: path }: { settings: string }, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const settings = await requireGateSettings(path);
  try {
    const pending = parsePreInstall(readFileSync(Number(env["APT_HOOK_INFO_FD"] ?? 0), "utf8"));
    const snapshot = await openSnapshot({ snapshot: settings.snapshot, freshness: settings.freshnessSeconds });
    const packages = await hashPackageFiles(pending, signal);
    const results = gatePackages(packages, { snapshot, exceptions: settings.exceptions });
    const { freshness } = snapshot;
    sayResults(results, settings.mode, context);
    if (freshness.kind !== "fresh") terminal.say(`quorate: ${freshness.reason}; run quorate sync`);
    if (decideGate(settings.mode, results, freshness.kind === "fresh") === "go-on") {
      await keepGated(settings, packages);
      return exitCodes.ok;
    }
    terminal.say(`quorate: apt is stopped before anything is unpacked; ${path} has the mode and the exceptions`);
    return exitCodes.failed;
  } catch (error) {
    signal.throwIfAborted();
    terminal.say(`quorate: asking the gate: ${errorLine(error)}`);
    return settings.mode === "enforce" ? exitCodes.failed : exitCodes.ok;
  }
}

function sayResults(results: readonly Gated[], mode: GateMode, { terminal }: CommandContext): void {
  const verified = results.filter(({ kind }) => kind === "verified").length;
  if (mode !== "observe") for (const result of results) if (result.kind !== "verified") terminal.say(`quorate: ${gatedLine(result)}`);
  terminal.say(`quorate: ${verified} of ${results.length} packages are what independent operators rebuilt`);
}

/** Which bytes were let through, for an audit to know: dpkg does not keep it. */
async function keepGated({ gatedFiles = `/${gatedFilesPath}` }: GateSettings, packages: Parameters<GatedFiles["with"]>[0]): Promise<void> {
  await makeDurableDirectory(dirname(gatedFiles), 0o755);
  await saveFile(gatedFiles, (await loadGated(gatedFiles)).with(packages).format());
}

async function loadGated(path: string): Promise<GatedFiles> {
  const text = await readIfThere(path);
  try {
    return GatedFiles.parse(text ?? "");
  } catch (cause) {
    throw new CommandError(`reading ${path}: ${errorLine(cause)}; move it away, and a new one is begun`, { cause });
  }
}
