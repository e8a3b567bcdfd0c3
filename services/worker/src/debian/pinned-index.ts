import { type IndexFile, openIndexFile } from "@quorate/archive/index-file";
import { indexPackagesByName, indexPackagesBySource } from "@quorate/debian/packages";
import { indexSources } from "@quorate/debian/sources";
import type { Sha256 } from "@quorate/protocol/digest";
import type { IndexPin } from "@quorate/protocol/target";
import type { PackageCache } from "./package-cache.ts";

/** One index that a pin names. Nothing is read before it is asked for: a build on an existing layer needs little of a large index. */
export type PinnedIndex = {
  readonly pin: IndexPin;
  /** With the stanzas of a source under its name, in a Packages index those of its binaries. */
  bySource(): Promise<IndexFile>;
  /** With the stanzas of a binary package under its name. */
  byName(): Promise<IndexFile>;
};

export type IndexOpener = (pin: IndexPin, fetchBlob: (sha256: Sha256) => Promise<Uint8Array>) => PinnedIndex;

const rememberedIndices = 24;

/** Opening an index reads and hashes all of it: once in this process's life is enough for each. */
export function createIndexOpener(cache: PackageCache): IndexOpener {
  const opened = new Map<string, Promise<IndexFile>>();

  const remember = (key: string, open: () => Promise<IndexFile>): Promise<IndexFile> => {
    const opening = opened.get(key) ?? open();
    // Last in the map's order are those used last.
    opened.delete(key);
    opened.set(key, opening);
    for (const old of opened.keys()) if (opened.size > rememberedIndices) opened.delete(old);
    opening.catch(() => opened.delete(key));
    return opening;
  };

  return (pin, fetchBlob) => {
    const open = (name: "source" | "name") =>
      remember(`${pin.sha256} ${pin.path} ${name}`, async () => {
        const { file } = await cache.loadFrom(pin.sha256, () => fetchBlob(pin.sha256));
        const spans = pin.path.endsWith("/Sources") ? indexSources : name === "source" ? indexPackagesBySource : indexPackagesByName;
        return await openIndexFile(pin.path, { file, sizeBytes: pin.sizeBytes, sha256: pin.sha256 }, spans);
      });
    return { pin, bySource: () => open("source"), byName: () => open("name") };
  };
}
