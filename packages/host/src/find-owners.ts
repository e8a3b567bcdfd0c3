import type { InstalledPackage } from "@quorate/debian/dpkg-status";
import { type DpkgDatabase, loadInstalledPaths } from "./dpkg-database.ts";
import type { HostTree } from "./host-tree.ts";
import type { Locator } from "./locator.ts";

/**
 * Packages that dpkg says have something at a path. dpkg may be lied to: whoever asks compares with their manifests. On a merged /usr what is at
 * `usr/bin/sh` may be in a package as `bin/sh`.
 */
export function findOwners(
  place: string,
  { tree, database, locator }: { tree: HostTree; database: DpkgDatabase; locator: Locator },
): InstalledPackage[] {
  const name = place.slice(place.lastIndexOf("/") + 1);
  const isAt = (path: string): boolean => path.endsWith(name) && locator.locate(database.diversions.get(path)?.to ?? path) === place;
  const diverted = [...database.diversions.values()].filter(({ to }) => locator.locate(to) === place).map(({ from }) => from);
  return database.packages.filter((installed) =>
    loadInstalledPaths(tree, database, installed).some((path) => diverted.includes(path) || isAt(path)),
  );
}
