import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parsePreInstall } from "@quorate/debian/apt-pre-install";
import { FileHasher } from "@quorate/host/file-hasher";
import { type Gated, type GatedPackage, decideGate, decideGated } from "@quorate/host/gate";
import { type GateMode, type GateSettings, formatGateSettings, parseGateSettings } from "@quorate/host/gate-settings";
import { ParseError } from "@quorate/protocol/parse-error";
import { makeDurableDirectory } from "@quorate/service/durable-file";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { type HostSnapshot, type SnapshotOptions, openSnapshot } from "../host-snapshot.ts";
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
  const before = await loadSettings(paths.settings);
  const settings: GateSettings = {
    mode: options.mode ?? before?.mode ?? "warn",
    snapshot: options.snapshot ?? before?.snapshot ?? defaultSnapshotDirectory,
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
  const settings = await loadSettings(paths.settings);
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

/** `quorate gate hook`: what apt runs. Its exit code stops apt, or not; what is wrong is said in every mode but `observe`. */
export async function runGateHook({ settings: path }: { settings: string }, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const settings = await loadSettings(path);
  if (settings === undefined) throw new CommandError(`asking the gate: ${path} is missing; run quorate gate install`);
  try {
    const pending = parsePreInstall(readFileSync(Number(env["APT_HOOK_INFO_FD"] ?? 0), "utf8"));
    const snapshot = await openSnapshot({ snapshot: settings.snapshot, freshness: settings.freshnessSeconds });
    const results = await gatePackages(pending, { snapshot, settings, signal });
    const { freshness } = snapshot;
    sayResults(results, settings.mode, context);
    if (freshness.kind !== "fresh") terminal.say(`quorate: ${freshness.reason}; run quorate sync`);
    if (decideGate(settings.mode, results, freshness.kind === "fresh") === "go-on") return exitCodes.ok;
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

function gatedLine({ gated, kind, reason }: Gated): string {
  return `${kind}  ${gated.package} ${gated.version} (${gated.architecture}): ${reason}`;
}

type Files = readonly (Omit<GatedPackage, "sha256"> & { readonly path: string })[];
type Gating = { readonly snapshot: HostSnapshot; readonly settings: Pick<GateSettings, "exceptions">; readonly signal: AbortSignal };

async function gatePackages(files: Files, { snapshot, settings, signal }: Gating): Promise<Gated[]> {
  await using hasher = new FileHasher();
  const digests = await hasher.hash(
    files.map(({ path }) => path),
    { signal },
  );
  return files.map(({ path, ...named }, at) => {
    const digest = digests[at];
    if (digest?.kind !== "hashed")
      throw new Error(`reading ${path}: ${digest?.kind === "unreadable" ? digest.reason : "it changed meanwhile"}`);
    const known = [...snapshot.artifacts.findByDigest(digest.sha256), ...snapshot.artifacts.find(named)];
    return decideGated({ ...named, sha256: digest.sha256 }, known, { exceptions: settings.exceptions, now: new Date() });
  });
}

/** `quorate gate check FILES…`: what the gate would say of package files, for scripts. */
export async function runGateCheck(
  paths: readonly string[],
  options: SnapshotOptions & { json?: boolean | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const snapshot = await openSnapshot(options);
  const files = paths.map((path) => ({ path, ...namedBy(path) }));
  const results = await gatePackages(files, { snapshot, settings: { exceptions: [] }, signal }).catch((cause: unknown) => {
    throw new CommandError(`checking package files: ${errorLine(cause)}`, { exitCode: exitCodes.notReproduced, cause });
  });
  if (options.json) terminal.printJson({ results, freshness: snapshot.freshness });
  else for (const result of results) terminal.print(gatedLine(result));
  if (results.some(({ kind }) => kind === "other-bytes")) return exitCodes.refuted;
  if (snapshot.freshness.kind !== "fresh") return exitCodes.notReproduced;
  return results.every(({ kind }) => kind === "verified") ? exitCodes.ok : exitCodes.failed;
}

/** As archives name their files; a colon is written %3a. */
function namedBy(path: string): Omit<GatedPackage, "sha256"> {
  const [name = "", version = "", architecture = ""] = basename(path)
    .replace(/\.deb$/, "")
    .replaceAll("%3a", ":")
    .split("_");
  return { package: name, version, architecture };
}

async function loadSettings(path: string): Promise<GateSettings | undefined> {
  const text = await readIfThere(path);
  try {
    return text === undefined ? undefined : parseGateSettings(text);
  } catch (cause) {
    if (cause instanceof ParseError) throw new CommandError(`reading ${path}: ${errorLine(cause)}`, { cause });
    throw cause;
  }
}
