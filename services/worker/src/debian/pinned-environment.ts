import { readFile } from "node:fs/promises";
import { type Archive } from "@quorate/archive/archive-config";
import { ArchiveError } from "@quorate/archive/archive-error";
import { verifyFreshness } from "@quorate/archive/freshness";
import { verifyInRelease } from "@quorate/archive/in-release";
import { type IndexFile, openIndexFile } from "@quorate/archive/index-file";
import { type PackageStanza, indexPackagesByName, parsePackageStanza } from "@quorate/debian/packages";
import { type SourceStanza, indexSources, parseSourceStanza } from "@quorate/debian/sources";
import type { Sha256 } from "@quorate/protocol/digest";
import type { EnvironmentPin, SuitePin } from "@quorate/protocol/target";
import type { PackageCache } from "./package-cache.ts";

/** The pinned state of one suite, verified from its signature down to each index's bytes. */
export type PinnedSuite = { readonly suite: string; readonly inReleaseFile: string; readonly indices: readonly IndexFile[] };

/** All that a build environment may be made of. */
export type PinnedEnvironment = { readonly archive: Archive; readonly pin: EnvironmentPin; readonly suites: readonly PinnedSuite[] };

export type EnvironmentLoaderOptions = { archives: readonly Archive[]; cache: PackageCache; now: () => Date };
export type EnvironmentRequest = {
  distribution: string;
  suite: string;
  pin: EnvironmentPin;
  fetchBlob(sha256: Sha256): Promise<Uint8Array>;
};

const rememberedIndices = 24;

/**
 * Loads what a pin names and believes none of it unproven: each InRelease must be signed by a key of the operator's own configuration and
 * be fresh, each index must be the one that InRelease lists. Where the files came from does not matter then.
 */
export function createEnvironmentLoader({ archives, cache, now }: EnvironmentLoaderOptions) {
  /** Opening an index reads and hashes all of it: once in this process's life is enough. */
  const opened = new Map<string, Promise<IndexFile>>();

  const openIndex = (index: SuitePin["indices"][number], fetchBlob: EnvironmentRequest["fetchBlob"]): Promise<IndexFile> => {
    const key = `${index.sha256} ${index.path}`;
    const opening = opened.get(key) ?? load();
    opened.delete(key);
    opened.set(key, opening);
    for (const old of opened.keys()) if (opened.size > rememberedIndices) opened.delete(old);
    return opening;

    async function load(): Promise<IndexFile> {
      try {
        const { file, sizeBytes } = await cache.loadFrom(index.sha256, () => fetchBlob(index.sha256));
        const spans = index.path.endsWith("/Sources") ? indexSources : indexPackagesByName;
        return await openIndexFile(index.path, { file, sizeBytes, sha256: index.sha256 }, spans);
      } catch (error) {
        opened.delete(key);
        throw error;
      }
    }
  };

  const loadSuite = async (pin: SuitePin, request: EnvironmentRequest, archive: Archive): Promise<PinnedSuite> => {
    const stored = await cache.loadFrom(pin.inReleaseSha256, () => request.fetchBlob(pin.inReleaseSha256));
    const { release } = await verifyInRelease(await readFile(stored.file), archive.keyrings, now());
    const allowExpired = request.pin.expiredAllowed && archive.allowExpired;
    verifyFreshness(release, { suite: pin.suite, allowExpired, now: now() });
    const indices: IndexFile[] = [];
    for (const index of pin.indices) {
      const listed = release.files.get(index.path);
      if (listed?.sha256 !== index.sha256 || listed.sizeBytes !== index.sizeBytes) {
        throw new ArchiveError("digest-differs", `checking the pin of ${pin.suite}: ${index.path} is not the one that InRelease lists`);
      }
      indices.push(await openIndex(index, request.fetchBlob));
    }
    return { suite: pin.suite, inReleaseFile: stored.file, indices };
  };

  return async (request: EnvironmentRequest): Promise<PinnedEnvironment> => {
    const archive = findArchive(archives, request);
    const suites: PinnedSuite[] = [];
    for (const pin of request.pin.suites) suites.push(await loadSuite(pin, request, archive));
    return { archive, pin: request.pin, suites };
  };
}

function findArchive(archives: readonly Archive[], { distribution, suite }: EnvironmentRequest): Archive {
  const candidates = archives.filter((archive) => archive.distribution === distribution);
  const archive = candidates.find(({ environments }) => suite in environments) ?? candidates[0];
  if (archive !== undefined) return archive;
  const known = [...new Set(archives.map((one) => one.distribution))].join(", ") || "none";
  throw new ArchiveError("not-found", `finding an archive of ${distribution}: this worker's archives file has ${known}`);
}

/** The stanzas of a binary package in all suites of the environment. */
export async function findPackages({ suites }: PinnedEnvironment, name: string): Promise<PackageStanza[]> {
  const found: PackageStanza[] = [];
  for (const { indices } of suites) {
    for (const index of indices) {
      if (index.path.endsWith("/Packages")) found.push(...(await index.stanzas(name)).map(parsePackageStanza));
    }
  }
  return found;
}

/** The stanza of one version of a source. @throws ArchiveError when no pinned Sources index has it */
export async function findSource(
  { suites }: PinnedEnvironment,
  { source, version, component }: { source: string; version: string; component: string },
): Promise<SourceStanza> {
  for (const { indices } of suites) {
    const index = indices.find(({ path }) => path === `${component}/source/Sources`);
    const stanzas = (await index?.stanzas(source)) ?? [];
    const stanza = stanzas.map(parseSourceStanza).find((one) => one.version === version);
    if (stanza !== undefined) return stanza;
  }
  throw new ArchiveError("not-found", `looking for ${source} ${version} in the pinned ${component}/source/Sources: it is not listed`);
}
