import { type PackageStanza, parsePackageStanza } from "@quorate/debian/packages";
import { parseSourceStanza } from "@quorate/debian/sources";
import { suiteSchema } from "@quorate/protocol/names";
import type { SubmissionRequest } from "@quorate/protocol/submission";
import type { EnvironmentPin, Target } from "@quorate/protocol/target";
import { type Archive, environmentOf } from "./archive-config.ts";
import { ArchiveError } from "./archive-error.ts";
import { environmentPinOf, packagesPaths, sourcesPath } from "./environment-pin.ts";
import type { IndexFile, StoredFile } from "./index-file.ts";
import { planTargets, type SourceFacts } from "./plan-targets.ts";
import type { Refusal } from "./refusal.ts";
import { similarSources } from "./similar-sources.ts";
import { createSuiteStates, type SuiteState, type SuiteStates, type SuiteStatesOptions } from "./suite-state.ts";

export type Resolution =
  | {
      readonly kind: "resolved";
      readonly targets: Target[];
      /** Every InRelease and index text that the targets' environment pins name, to be kept as blobs. */
      readonly files: readonly StoredFile[];
    }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export type TargetResolver = {
  /** @throws ArchiveError when the archive cannot be read or does not verify */
  resolveTargets(request: SubmissionRequest): Promise<Resolution>;
};

/** Turns requests into targets by the signed indices of the archives. */
export async function createTargetResolver(
  options: Omit<SuiteStatesOptions, "archive"> & { archives: readonly Archive[] },
): Promise<TargetResolver> {
  const { archives, ...rest } = options;
  const states = new Map<Archive, SuiteStates>();
  for (const archive of archives) states.set(archive, await createSuiteStates({ ...rest, archive }));
  return {
    resolveTargets: async (request) => {
      const ofDistribution = [...states].filter(([{ distribution }]) => distribution === request.distribution);
      const found = ofDistribution.find(([{ environments }]) => request.suite in environments) ?? ofDistribution[0];
      if (found === undefined) {
        const known = [...new Set(archives.map(({ distribution }) => distribution))];
        return { kind: "refused", refusal: { kind: "unknown-distribution", distribution: request.distribution, known } };
      }
      const [archive, suites] = found;
      try {
        return await resolve({ archive, suites, request, recheck: false });
      } catch (error) {
        // An index that is gone or has other bytes: most likely the archive was updated since InRelease was fetched.
        if (!(error instanceof ArchiveError) || !["not-found", "digest-differs"].includes(error.code)) throw error;
        return await resolve({ archive, suites, request, recheck: true });
      }
    },
  };
}

type Question = { archive: Archive; suites: SuiteStates; request: SubmissionRequest; recheck: boolean };

async function resolve({ archive, suites, request, recheck }: Question): Promise<Resolution> {
  const states = await loadStates({ archive, suites, request, recheck });
  if (states === undefined) {
    return { kind: "refused", refusal: { kind: "unknown-suite", suite: request.suite, known: Object.keys(archive.environments) } };
  }
  const { all, own } = states;
  const named = { ...request, suite: own.suite };
  const machines = machinesOf(archive, own, request.architecture);
  const [first] = machines;
  if (first === undefined) {
    const known = [...machinesOf(archive, own, undefined), "all"];
    return { kind: "refused", refusal: { kind: "unknown-architecture", architecture: request.architecture ?? "all", known } };
  }
  const sources = await loadSources(own, archive.components, request.source);
  const packages = new Map<string, PackageStanza[]>();
  for (const machine of machines)
    packages.set(machine, await loadPackages(own, packagesPaths(own.release, archive.components, machine), request.source));
  if (sources.length === 0) {
    const known = await similarSources(own, { components: archive.components, architecture: first, name: request.source });
    return { kind: "refused", refusal: { kind: "unknown-package", source: request.source, suite: own.suite, known } };
  }
  const environments = new Map<string, EnvironmentPin>();
  for (const architecture of machines) {
    environments.set(architecture, environmentPinOf(all, { suite: own.suite, components: archive.components, architecture }));
  }
  const plan = planTargets(named, { sources, packages, environments });
  return plan.kind === "refused" ? plan : { ...plan, files: await pinnedFiles(all, plan.targets) };
}

async function loadStates({ archive, suites, request, recheck }: Question): Promise<{ all: SuiteState[]; own: SuiteState } | undefined> {
  let own: SuiteState;
  try {
    own = await underCodename(await suites.load(request.suite, { recheck }), suites, recheck);
  } catch (error) {
    if (error instanceof ArchiveError && error.code === "not-found") return undefined;
    throw error;
  }
  const names = environmentOf(archive, own.suite);
  return { own, all: await Promise.all(names.map(async (name) => (name === own.suite ? own : await suites.load(name, { recheck })))) };
}

/** `oldstable` is `bookworm`: one suite has one name in targets, the one that stays. Other names are kept where the files differ. */
async function underCodename(state: SuiteState, suites: SuiteStates, recheck: boolean): Promise<SuiteState> {
  const { codename } = state.release;
  if (codename === undefined || codename === state.suite || !suiteSchema.safeParse(codename).success) return state;
  try {
    const other = await suites.load(codename, { recheck });
    return other.inRelease.sha256 === state.inRelease.sha256 ? other : state;
  } catch (error) {
    if (error instanceof ArchiveError && (error.code === "not-found" || error.code === "wrong-suite")) return state;
    throw error;
  }
}

function machinesOf(archive: Archive, { release }: SuiteState, architecture: string | undefined): string[] {
  const machines = archive.architectures.filter((name) => release.architectures.includes(name));
  if (architecture === undefined) return machines;
  return architecture === "all" ? machines.slice(0, 1) : machines.filter((name) => name === architecture);
}

async function loadSources(state: SuiteState, components: readonly string[], name: string): Promise<SourceFacts["sources"]> {
  const found: SourceFacts["sources"][number][] = [];
  for (const component of components) {
    const index = await state.index(sourcesPath(component));
    for (const text of await index.stanzas(name)) found.push({ component, stanza: parsed(index, text, parseSourceStanza) });
  }
  return found;
}

async function loadPackages(state: SuiteState, paths: readonly string[], source: string): Promise<PackageStanza[]> {
  const indices = await Promise.all(paths.map(async (path) => await state.index(path)));
  const stanzas: PackageStanza[] = [];
  for (const index of indices) for (const text of await index.stanzas(source)) stanzas.push(parsed(index, text, parsePackageStanza));
  return stanzas;
}

function parsed<T>({ path }: IndexFile, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (cause) {
    throw new ArchiveError("malformed", `reading ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

async function pinnedFiles(states: readonly SuiteState[], targets: readonly Target[]): Promise<StoredFile[]> {
  const files = new Map<string, StoredFile>();
  for (const state of states) {
    files.set(state.inRelease.sha256, state.inRelease);
    const pins = targets.flatMap(({ environment }) => environment.suites.filter(({ suite }) => suite === state.suite));
    for (const path of new Set(pins.flatMap(({ indices }) => indices.map((index) => index.path)))) {
      const { stored } = await state.index(path);
      files.set(stored.sha256, stored);
    }
  }
  return [...files.values()];
}
