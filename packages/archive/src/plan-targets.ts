import type { PackageStanza } from "@quorate/debian/packages";
import type { SourceStanza } from "@quorate/debian/sources";
import { binNmuSuffix, compareVersions, newestVersion } from "@quorate/debian/version";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { maxEnvelopeBytes } from "@quorate/protocol/entry";
import type { SubmissionRequest } from "@quorate/protocol/submission";
import { type EnvironmentPin, type ExpectedArtifact, type Target, targetSchema } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import type { Refusal } from "./refusal.ts";

/** What a suite's verified indices say about one source. */
export type SourceFacts = {
  /** Never empty. */
  readonly sources: readonly { readonly component: string; readonly stanza: SourceStanza }[];
  /** By machine architecture: the source's binary packages in that architecture's indices, those of architecture `all` included. */
  readonly packages: ReadonlyMap<string, readonly PackageStanza[]>;
  readonly environments: ReadonlyMap<string, EnvironmentPin>;
};

export type TargetPlan =
  { readonly kind: "resolved"; readonly targets: Target[] } | { readonly kind: "refused"; readonly refusal: Refusal };

/** The targets that a request names: one for the architecture-dependent packages of each machine architecture, one for those of `all`. */
export function planTargets(request: SubmissionRequest, facts: SourceFacts): TargetPlan {
  const chosen = chooseVersion(request, facts);
  if (chosen === undefined) {
    const known = versionsOf(facts.sources.map(({ stanza }) => stanza.version));
    return { kind: "refused", refusal: { kind: "unknown-version", source: request.source, version: request.version ?? "", known } };
  }
  const planned: TargetDraft[] = [];
  let allDone = false;
  for (const [machine, stanzas] of facts.packages) {
    const environment = facts.environments.get(machine);
    const built = stanzas.filter(({ source, path }) => source.version === chosen.stanza.version && path.endsWith(".deb"));
    if (environment === undefined) continue;
    for (const architecture of [machine, "all"]) {
      const artifacts = newestBuild(built.filter((stanza) => stanza.architecture === architecture));
      if (artifacts.length === 0 || (architecture === "all" && allDone)) continue;
      // `all` is built once, on the first machine architecture.
      allDone ||= architecture === "all";
      planned.push(draftOf({ request, chosen, architecture, artifacts, environment }));
    }
  }
  if (planned.length === 0) {
    const known = versionsOf(
      [...facts.packages.values()].flat().flatMap(({ source, path }) => (path.endsWith(".deb") ? [source.version] : [])),
    );
    const { source, suite } = request;
    return { kind: "refused", refusal: { kind: "nothing-to-compare", source, suite, version: chosen.stanza.version, known } };
  }
  const asked = planned.filter(({ architecture }) => request.architecture === undefined || architecture === request.architecture);
  if (asked.length > 0) return parseDrafts(asked);
  const known = planned.map(({ architecture }) => architecture);
  return { kind: "refused", refusal: { kind: "unknown-architecture", architecture: request.architecture ?? "", known } };
}

/** What an envelope has room for, less its own members and the statement's, before base64. */
const maxTargetBytes = Math.floor(((maxEnvelopeBytes - 4096) * 3) / 4);

/** Everything in a draft was parsed before: only its size can be wrong. */
function parseDrafts(drafts: readonly TargetDraft[]): TargetPlan {
  const targets: Target[] = [];
  for (const draft of drafts) {
    const parsed = targetSchema.safeParse(draft);
    if (!parsed.success || utf8(formatCanonicalJson(parsed.data)).length > maxTargetBytes) {
      const { source, version, files, artifacts } = draft;
      return { kind: "refused", refusal: { kind: "too-large", source, version, files: files.length, artifacts: artifacts.length } };
    }
    targets.push(parsed.data);
  }
  return { kind: "resolved", targets };
}

type ChosenSource = SourceFacts["sources"][number];

function chooseVersion(request: SubmissionRequest, { sources }: SourceFacts): ChosenSource | undefined {
  const own = sources.filter(({ stanza }) => !stanza.extraSourceOnly);
  const version = request.version ?? newestVersion((own.length > 0 ? own : sources).map(({ stanza }) => stanza.version));
  return sources.find(({ stanza }) => stanza.version === version);
}

/**
 * A suite may hold binaries of more than one build of a source version, as when +b1 replaced the first: those of the newest build.
 * Binaries with a version of their own, unrelated to the source's, belong to any build.
 */
function newestBuild(stanzas: readonly PackageStanza[]): PackageStanza[] {
  const builds = stanzas.map((stanza) => buildNumber(stanza));
  const newest = Math.max(0, ...builds.map((build) => build ?? 0));
  return stanzas.filter((_, i) => builds[i] === undefined || builds[i] === newest);
}

/** 0 for the first build, N for `+bN`, undefined for a version of its own. */
function buildNumber({ version, source }: PackageStanza): number | undefined {
  if (version === source.version) return 0;
  const suffix = binNmuSuffix({ source: source.version, binary: version });
  return suffix === undefined ? undefined : Number(suffix.slice(2));
}

/** A target before its size is known to be right. */
type TargetDraft = Target;
type TargetParts = {
  request: SubmissionRequest;
  chosen: ChosenSource;
  architecture: string;
  artifacts: readonly PackageStanza[];
  environment: EnvironmentPin;
};

function draftOf({ request, chosen, architecture, artifacts, environment }: TargetParts): TargetDraft {
  const { component, stanza } = chosen;
  const suffix = artifacts
    .map(({ version, source }) => binNmuSuffix({ source: source.version, binary: version }))
    .find((found) => found !== undefined);
  return {
    distribution: request.distribution,
    suite: request.suite,
    component,
    source: stanza.source,
    version: stanza.version,
    architecture,
    directory: stanza.directory,
    files: [...stanza.files],
    artifacts: artifactsOf(artifacts),
    ...(suffix === undefined ? {} : { binNmu: suffix }),
    environment,
  };
}

function artifactsOf(stanzas: readonly PackageStanza[]): ExpectedArtifact[] {
  const byFile = new Map<string, ExpectedArtifact>();
  for (const { package: name, version, architecture, path, sizeBytes, sha256 } of stanzas) {
    const file = path.slice(path.lastIndexOf("/") + 1);
    byFile.set(file, { file, path, package: name, version, architecture, sizeBytes, sha256 });
  }
  return [...byFile.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
}

function versionsOf(versions: readonly string[]): string[] {
  return [...new Set(versions)].sort((a, b) => compareVersions(b, a));
}
