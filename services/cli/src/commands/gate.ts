import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type GateMode, type GateSettings, formatGateSettings } from "@quorate/host/gate-settings";
import { makeDurableDirectory } from "@quorate/service/durable-file";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { loadGateSettings } from "../gate-settings-file.ts";
import { openSnapshot } from "../host-snapshot.ts";
import { readIfThere, saveFile } from "../own-files.ts";
import { defaultSnapshotDirectory } from "../snapshot-defaults.ts";

export type GateOptions = {
  etc?: string | undefined;
  mode?: GateMode | undefined;
  snapshot?: string | undefined;
};

const program = fileURLToPath(new URL("../../../../bin/quorate", import.meta.url));

const pathsBelow = (etc = "/etc") => ({
  apt: join(etc, "apt/apt.conf.d/90quorate-gate"),
  settings: join(etc, "quorate/gate.json"),
});

/** `quorate gate install`: from now on apt asks before it unpacks anything. Settings that are there stay, but for what is given. */
export async function runGateInstall(options: GateOptions, { terminal }: CommandContext): Promise<ExitCode> {
  const paths = pathsBelow(options.etc);
  // apt gives the command to a shell, and takes its first word for a name.
  if (!/^[A-Za-z0-9/._+-]+$/.test(program + paths.settings))
    throw new CommandError(`installing the gate: apt cannot run ${program} with ${paths.settings}; use paths of plain letters`);
  const before = await loadGateSettings(paths.settings);
  const settings: GateSettings = {
    mode: options.mode ?? before?.mode ?? "warn",
    snapshot: options.snapshot ?? before?.snapshot ?? defaultSnapshotDirectory,
    ...(before?.gatedFiles === undefined ? {} : { gatedFiles: before.gatedFiles }),
    ...(before?.freshnessSeconds === undefined ? {} : { freshnessSeconds: before.freshnessSeconds }),
    exceptions: before?.exceptions ?? [],
  };
  await makeDurableDirectory(join(paths.settings, ".."), 0o755);
  await saveFile(paths.settings, formatGateSettings(settings));
  await saveFile(paths.apt, aptConfiguration(paths.settings));
  terminal.print(`apt asks the gate from now on: mode ${settings.mode}, snapshot ${settings.snapshot}, settings in ${paths.settings}`);
  return exitCodes.ok;
}

function aptConfiguration(settings: string): string {
  return [
    "// Written by quorate gate install; quorate gate remove takes it away.",
    `DPkg::Pre-Install-Pkgs { "${program} gate hook --settings ${settings}"; };`,
    `DPkg::Tools::Options::${program} "";`,
    `DPkg::Tools::Options::${program}::Version "3";`,
    ...["Install", "Upgrade"].map((when) => `Binary::apt::AptCli::Hooks::${when} { "${program} gate prompt --settings ${settings}"; };`),
    "",
  ].join("\n");
}

/** `quorate gate remove`: apt asks no more; the settings stay. */
export async function runGateRemove(options: GateOptions, { terminal }: CommandContext): Promise<ExitCode> {
  const { apt, settings } = pathsBelow(options.etc);
  await rm(apt, { force: true });
  terminal.print(`apt no longer asks the gate; its settings are still in ${settings}`);
  return exitCodes.ok;
}

/** `quorate gate test`: whether apt would ask, and whether there is an answer. */
export async function runGateTest(options: GateOptions, { terminal }: CommandContext): Promise<ExitCode> {
  const paths = pathsBelow(options.etc);
  const settings = await loadGateSettings(paths.settings);
  const installed = await readIfThere(paths.apt);
  if (settings === undefined || installed !== aptConfiguration(paths.settings))
    throw new CommandError("testing the gate: it is not installed, or for another program; run quorate gate install");
  const { checkpoint, freshness } = await openSnapshot({ snapshot: settings.snapshot, freshness: settings.freshnessSeconds });
  const age = freshness.kind === "fresh" ? "up to date" : freshness.reason;
  terminal.print(
    `apt asks the gate: mode ${settings.mode}, ${settings.exceptions.length} exceptions; ${checkpoint.origin} with ${checkpoint.size} entries, ${age}`,
  );
  return freshness.kind === "fresh" ? exitCodes.ok : exitCodes.notReproduced;
}
