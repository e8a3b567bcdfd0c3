import { readFile } from "node:fs/promises";
import type { Archive } from "@quorate/archive/archive-config";
import { ArchiveError } from "@quorate/archive/archive-error";
import { verifyFreshness } from "@quorate/archive/freshness";
import { verifyInRelease } from "@quorate/archive/in-release";
import { verifyTarget } from "@quorate/archive/verify-target";
import { type PackageStanza, parsePackageStanza } from "@quorate/debian/packages";
import { type SourceStanza, parseSourceStanza } from "@quorate/debian/sources";
import type { Sha256 } from "@quorate/protocol/digest";
import type { EnvironmentPin, SuitePin, Target } from "@quorate/protocol/target";
import type { PackageCache } from "./package-cache.ts";
import { type PinnedIndex, createIndexOpener } from "./pinned-index.ts";

/** The pinned state of one suite, verified from its signature down to each index's digest. */
export type PinnedSuite = { readonly suite: string; readonly inReleaseFile: string; readonly indices: readonly PinnedIndex[] };

/** All that a build environment may be made of. */
export type PinnedEnvironment = { readonly archive: Archive; readonly pin: EnvironmentPin; readonly suites: readonly PinnedSuite[] };

export type EnvironmentLoaderOptions = { archives: readonly Archive[]; cache: PackageCache; now: () => Date };
export type EnvironmentLoader = (target: Target, fetchBlob: (sha256: Sha256) => Promise<Uint8Array>) => Promise<PinnedEnvironment>;

/**
 * Loads what a target pins and believes none of it unproven: each InRelease must be signed by a key of the operator's own configuration
 * and be fresh, each index must be the one that InRelease lists, and the target must say what those indices say. Where the files came
 * from does not matter then.
 *
 * The loader throws ArchiveError for everything that does not hold.
 */
export function createEnvironmentLoader({ archives, cache, now }: EnvironmentLoaderOptions): EnvironmentLoader {
  const openIndex = createIndexOpener(cache);
  return async (target, fetchBlob) => {
    const archive = findArchive(archives, target);
    const pin = target.environment;
    const allowExpired = pin.expiredAllowed && archive.allowExpired;
    const suites: PinnedSuite[] = [];
    for (const suitePin of pin.suites) {
      const { file } = await cache.loadFrom(suitePin.inReleaseSha256, () => fetchBlob(suitePin.inReleaseSha256));
      const { release } = await verifyInRelease(await readFile(file), archive.keyrings, now());
      verifyFreshness(release, { suite: suitePin.suite, allowExpired, now: now() });
      checkIndices(suitePin, release.files);
      suites.push({ suite: suitePin.suite, inReleaseFile: file, indices: suitePin.indices.map((index) => openIndex(index, fetchBlob)) });
    }
    const environment = { archive, pin, suites };
    await verifyTarget(target, (path) => ownIndex(environment, target, path).bySource());
    return environment;
  };
}

function checkIndices(pin: SuitePin, listed: ReadonlyMap<string, { sha256: Sha256; sizeBytes: number }>): void {
  for (const { path, sha256, sizeBytes } of pin.indices) {
    const own = listed.get(path);
    if (own?.sha256 === sha256 && own.sizeBytes === sizeBytes) continue;
    throw new ArchiveError("digest-differs", `checking the pin of ${pin.suite}: ${path} is not the one that InRelease lists`);
  }
}

function findArchive(archives: readonly Archive[], { distribution, suite }: Target): Archive {
  const candidates = archives.filter((archive) => archive.distribution === distribution);
  const archive = candidates.find(({ environments }) => suite in environments) ?? candidates[0];
  if (archive !== undefined) return archive;
  const known = [...new Set(archives.map((one) => one.distribution))].join(", ") || "none";
  throw new ArchiveError("not-found", `finding an archive of ${distribution}: this worker's archives file has ${known}`);
}

function ownIndex({ suites }: PinnedEnvironment, { suite }: Target, path: string): PinnedIndex {
  const index = suites.find((one) => one.suite === suite)?.indices.find(({ pin }) => pin.path === path);
  if (index === undefined) throw new ArchiveError("not-found", `looking for ${path} of ${suite}: the environment pin does not name it`);
  return index;
}

/** The stanzas of a binary package in all suites of the environment. */
export async function findPackages({ suites }: PinnedEnvironment, name: string): Promise<PackageStanza[]> {
  const found: PackageStanza[] = [];
  for (const { pin, byName } of suites.flatMap(({ indices }) => indices)) {
    if (pin.path.endsWith("/Packages")) found.push(...(await (await byName()).stanzas(name)).map(parsePackageStanza));
  }
  return found;
}

/** The stanza that a target was made from. @throws ArchiveError when the pinned Sources index has none */
export async function findSource(environment: PinnedEnvironment, target: Target): Promise<SourceStanza> {
  const path = `${target.component}/source/Sources`;
  const stanzas = await (await ownIndex(environment, target, path).bySource()).stanzas(target.source);
  const stanza = stanzas.map(parseSourceStanza).find(({ version }) => version === target.version);
  if (stanza !== undefined) return stanza;
  throw new ArchiveError("not-found", `looking for ${target.source} ${target.version} in the pinned ${path}: it is not listed`);
}
