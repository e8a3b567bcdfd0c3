import type { InstalledPackage } from "@quorate/debian/dpkg-status";
import { type DpkgDatabase, loadInstalledPaths } from "./dpkg-database.ts";
import type { HostTree } from "./host-tree.ts";
import type { Locator } from "./locator.ts";

type Host = { readonly tree: HostTree; readonly database: DpkgDatabase; readonly locator: Locator };

/**
 * Packages that dpkg says have something at a path. dpkg may be lied to: whoever asks compares with their manifests. On a merged /usr what is at
 * `usr/bin/sh` may be in a package as `bin/sh`.
 */
export function findOwners(place: string, host: Host): readonly InstalledPackage[] {
  return findAllOwners(new Set([place]), host).get(place) ?? [];
}

/** As `findOwners`, of many places at once; those that no package has are left out. */
export function findAllOwners(
  places: ReadonlySet<string>,
  { tree, database, locator }: Host,
): ReadonlyMap<string, readonly InstalledPackage[]> {
  const names = new Set([...places].map(nameOf));
  const found = new Map<string, InstalledPackage[]>();
  for (const installed of database.packages) {
    for (const path of loadInstalledPaths(tree, database, installed)) {
      const diversion = database.diversions.get(path);
      const own = diversion === undefined || diversion.package === installed.package ? path : diversion.to;
      // Where a path leads takes looking at the tree.
      if (!names.has(nameOf(own))) continue;
      const place = locator.locate(own);
      if (places.has(place)) found.set(place, [...(found.get(place) ?? []), installed]);
    }
  }
  return found;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
