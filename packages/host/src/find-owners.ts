import type { InstalledPackage } from "@quorate/debian/dpkg-status";
import { encodePath } from "@quorate/attestation/path-text";
import { type DpkgDatabase, infoPath, loadInstalledPaths } from "./dpkg-database.ts";
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
  for (const installed of packagesListing(names, { tree, database })) {
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

/** So few names are looked for in the bytes of dpkg's lists before these are parsed. */
const fewNames = 4;

function packagesListing(names: ReadonlySet<string>, { tree, database }: Omit<Host, "locator">): readonly InstalledPackage[] {
  const diverted = [...database.diversions.values()].filter(({ to }) => names.has(nameOf(to))).map(({ from }) => nameOf(from));
  const listed = [...new Set([...names, ...diverted])].map((name) => Buffer.from(encodePath(`/${name}\n`)));
  if (listed.length > fewNames) return database.packages;
  return database.packages.filter((installed) => {
    const list = Buffer.from(tree.read(infoPath(database, installed, "list")) ?? []);
    return listed.some((name) => list.includes(name));
  });
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
