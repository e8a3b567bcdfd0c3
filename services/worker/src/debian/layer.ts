import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildRelations, formatBuildControl } from "@quorate/debian/control";
import { type InstalledPackage, parseDpkgStatus } from "@quorate/debian/dpkg-status";
import type { SourceStanza } from "@quorate/debian/sources";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { sha256Of } from "@quorate/protocol/digest";
import { type EnvironmentLock, environmentLockSchema } from "@quorate/protocol/environment-lock";
import { environmentPinDigestOf } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import type { BaseRequest } from "./base.ts";
import { BuildFailure } from "./build-failure.ts";
import { openPinnedArchive } from "./pinned-archive.ts";
import { type PinnedEnvironment, findPackages } from "./pinned-environment.ts";
import { type Sandbox, openSandbox } from "./sandbox.ts";
import { type Tree, type TreeStore, removeTree } from "./tree-store.ts";

/** Part of a layer's identity: changes whenever what is done here changes the tree that comes out. */
const recipe = 1;

export type LayerRequest = BaseRequest & {
  base: Tree;
  baseId: string;
  source: SourceStanza;
  /** `all`: what `dpkg-buildpackage -A` needs; otherwise what `-B` needs. */
  mode: "any" | "all";
};

export function layerKeyOf({ baseId, source, mode }: Pick<LayerRequest, "baseId" | "source" | "mode">): string {
  return sha256Of(utf8(formatCanonicalJson({ recipe, baseId, mode, relations: buildRelations(source.paragraph) })));
}

/** A base with a source's build dependencies on top; sources that need the same share it. */
export async function obtainLayer(layers: TreeStore, request: LayerRequest): Promise<Tree> {
  return await layers.obtain(layerKeyOf(request), (part) => makeLayer(part, request));
}

/** The exact packages of a layer, base included. */
export async function loadEnvironmentLock(
  layer: Tree,
  request: Pick<LayerRequest, "dataDirectory" | "environment">,
): Promise<EnvironmentLock> {
  const packages: unknown = JSON.parse(await readFile(join(request.dataDirectory, layer.path, "packages.json"), "utf8"));
  return environmentLockSchema.parse({ environment: environmentPinDigestOf(request.environment.pin), packages });
}

async function makeLayer(part: string, request: LayerRequest): Promise<void> {
  const { dataDirectory, environment, base } = request;
  for (const name of ["upper", "work", "inputs"]) await mkdir(join(dataDirectory, part, name), { mode: 0o755 });
  await writeFile(join(dataDirectory, part, "inputs/source.dsc"), formatBuildControl(request.source));
  {
    await using archive = await openPinnedArchive(request);
    await using sandbox = await openSandbox({
      directory: dataDirectory,
      root: {
        kind: "overlay",
        lowers: [base.path],
        upper: { kind: "directory", path: part },
        binds: [{ from: join(dataDirectory, part, "inputs"), at: "/build/inputs" }],
      },
      forwarder: archive.forwarder,
      onOutput: request.onOutput,
      signal: request.signal,
    });
    const status = await runAsRoot(sandbox, installCommand(request.mode));
    if (status !== 0) throw installationFailure(status, archive.failure);
    await runAsRoot(sandbox, ["/bin/sh", "-c", cleanUp]);
    const installed = parseDpkgStatus(await readFile(`${sandbox.hostRoot}/var/lib/dpkg/status`, "utf8"));
    await writeFile(join(dataDirectory, part, "packages.json"), JSON.stringify(await lockPackages(environment, installed)));
  }
  for (const name of ["work", "inputs"]) await removeTree(join(dataDirectory, part, name));
}

function installCommand(mode: LayerRequest["mode"]): string[] {
  const only = mode === "all" ? "--indep-only" : "--arch-only";
  return ["apt-get", "-q", "-y", "--no-install-recommends", only, "build-dep", "/build/inputs/source.dsc"];
}

/** Caches and logs differ each time and serve no build. */
const cleanUp = "rm -rf /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /tmp/*";

async function runAsRoot(sandbox: Sandbox, words: readonly string[]): Promise<number> {
  const environment = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LC_ALL: "C.UTF-8",
    HOME: "/root",
    DEBIAN_FRONTEND: "noninteractive",
  };
  return await sandbox.run({ words, user: "root", workingDirectory: "/", environment });
}

function installationFailure(status: number, cause: unknown): BuildFailure {
  const step = "build-dependencies";
  if (cause instanceof Error) {
    return new BuildFailure("environment-unavailable", { step, message: `installing build dependencies: ${cause.message}` }, { cause });
  }
  const message = `apt cannot install the build dependencies from the pinned archive (status ${status}); the log says which`;
  return new BuildFailure("dependencies-uninstallable", { step, message });
}

/** Joins what is installed with the pinned indices: each package has the digest that the archive signed. */
async function lockPackages(environment: PinnedEnvironment, installed: readonly InstalledPackage[]): Promise<EnvironmentLock["packages"]> {
  const packages: EnvironmentLock["packages"] = [];
  for (const { package: name, version, architecture } of installed) {
    const stanzas = await findPackages(environment, name);
    const stanza = stanzas.find((one) => one.version === version && one.architecture === architecture);
    if (stanza === undefined) throw new Error(`locking the environment: ${name} ${version} ${architecture} is in no pinned Packages index`);
    packages.push({ package: name, version, architecture, sha256: stanza.sha256 });
  }
  return packages;
}
