import { gunzipSync } from "node:zlib";
import { prependBinaryOnlyEntry } from "@quorate/debian/changelog";
import type { ExpectedArtifact, Target } from "@quorate/protocol/target";
import { BuildFailure } from "./build-failure.ts";
import { readMembers } from "./deb-members.ts";
import type { PackageCache } from "./package-cache.ts";

const maxChangelogBytes = 16 * 1024 * 1024;

export type BinaryOnlyRequest = { target: Target; archiveUrl: string; cache: PackageCache; changelog: string; signal: AbortSignal };

/**
 * A source's changelog as it was when the distribution rebuilt its binaries without a source change: with the entry that only those
 * binaries carry, read from one of them. The builders write that entry, with its own date, and all dates in the binaries follow from it.
 *
 * @throws BuildFailure "source-unavailable" when no published binary carries it
 */
export async function withBinaryOnlyEntry(request: BinaryOnlyRequest): Promise<string> {
  const { target, archiveUrl, cache, changelog, signal } = request;
  const version = `${target.version}${target.binNmu ?? ""}`;
  let problem: unknown = "none has a changelog";
  // A package's documentation may be a link to another's.
  for (const artifact of target.artifacts) {
    try {
      const deb = await cache.load(
        { url: `${archiveUrl}/${artifact.path}`, sizeBytes: artifact.sizeBytes, sha256: artifact.sha256 },
        signal,
      );
      for (const published of await readChangelogs(deb, artifact, signal)) {
        try {
          return prependBinaryOnlyEntry(changelog, { published, version });
        } catch (error) {
          problem = error;
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      problem = error;
    }
  }
  const message = `reading the changelog entry ${version} from the published binaries: ${problem instanceof Error ? problem.message : String(problem)}`;
  throw new BuildFailure("source-unavailable", { step: "binary-only-entry", message });
}

async function readChangelogs(deb: string, artifact: ExpectedArtifact, signal: AbortSignal): Promise<string[]> {
  const documentation = `usr/share/doc/${artifact.package}`;
  // Policy §12.7; recent debhelper puts the entry into a file of its own, so that architectures can be installed side by side.
  const names = [
    `changelog.Debian.${artifact.architecture}.gz`,
    "changelog.Debian.gz",
    `changelog.${artifact.architecture}.gz`,
    "changelog.gz",
  ];
  const wanted = new Set(names.map((name) => `${documentation}/${name}`));
  const found: string[] = [];
  for await (const { content } of readMembers(deb, { part: "data", keep: (path) => wanted.has(path), signal })) {
    if (content !== undefined) found.push(gunzipSync(content, { maxOutputLength: maxChangelogBytes }).toString("utf8"));
  }
  return found;
}
