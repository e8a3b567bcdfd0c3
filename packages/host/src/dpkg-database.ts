import { decodePath } from "@quorate/attestation/path-text";
import { type Diversion, parseDiversions } from "@quorate/debian/dpkg-diversions";
import { parseDpkgList } from "@quorate/debian/dpkg-list";
import { type PathFilter, parsePathFilter } from "@quorate/debian/dpkg-path-filter";
import { type StatOverride, parseStatOverrides } from "@quorate/debian/dpkg-statoverride";
import { type InstalledPackage, parseDpkgStatus } from "@quorate/debian/dpkg-status";
import { ParseError } from "@quorate/protocol/parse-error";
import { type AccountIds, parseAccountIds } from "./account-ids.ts";
import type { HostTree } from "./host-tree.ts";

export const infoDirectory = "var/lib/dpkg/info";

/** What dpkg has recorded in a tree. All of it may have been written by whoever tampered with the tree. */
export type DpkgDatabase = {
  readonly packages: readonly InstalledPackage[];
  /** By the path that is diverted. */
  readonly diversions: ReadonlyMap<string, Diversion>;
  readonly overrides: ReadonlyMap<string, StatOverride>;
  readonly isExcluded: PathFilter;
  readonly users: AccountIds;
  readonly groups: AccountIds;
  /** Names in the info directory; `undefined` for an image that has no dpkg, and keeps no records of what is in its packages. */
  readonly info: ReadonlySet<string> | undefined;
};

/** @throws Error when the tree has no dpkg database, or it is corrupt: then nothing can be said about the tree */
export function loadDpkgDatabase(tree: HostTree): DpkgDatabase {
  const status = textAt(tree, "var/lib/dpkg/status") ?? statusOfParts(tree);
  if (status === undefined)
    throw new Error("reading the dpkg database: there is no readable var/lib/dpkg/status below the root; is it a Debian system?");
  const filters = namesIn(tree, "etc/dpkg/dpkg.cfg.d")
    .toSorted()
    .filter((name) => /^[A-Za-z0-9_-]+$/.test(name));
  const configurations = ["etc/dpkg/dpkg.cfg", ...filters.map((name) => `etc/dpkg/dpkg.cfg.d/${name}`)];
  try {
    return {
      packages: parseDpkgStatus(status),
      diversions: new Map(parseDiversions(textAt(tree, "var/lib/dpkg/diversions") ?? "").map((diversion) => [diversion.from, diversion])),
      overrides: new Map(parseStatOverrides(textAt(tree, "var/lib/dpkg/statoverride") ?? "").map((override) => [override.path, override])),
      isExcluded: parsePathFilter(configurations.map((path) => textAt(tree, path) ?? "")),
      users: parseAccountIds(textAt(tree, "etc/passwd") ?? ""),
      groups: parseAccountIds(textAt(tree, "etc/group") ?? ""),
      info: tree.node("var/lib/dpkg/status") === undefined ? undefined : new Set(namesIn(tree, infoDirectory)),
    };
  } catch (cause) {
    if (cause instanceof ParseError)
      throw new Error(`reading the dpkg database: ${cause.message}; it is damaged, or has been written to`, { cause });
    throw cause;
  }
}

/** Images without dpkg have a file a package, with all fields but the status. */
function statusOfParts(tree: HostTree): string | undefined {
  const names = namesIn(tree, "var/lib/dpkg/status.d").filter((name) => !name.endsWith(".md5sums"));
  const parts = names.map((name) => textAt(tree, `var/lib/dpkg/status.d/${name}`) ?? "");
  return parts.length === 0 ? undefined : parts.map((part) => `Status: install ok installed\n${part.trimEnd()}\n`).join("\n");
}

/** Where the info directory has a file of a package: of packages that can be installed for several architectures the name says which. */
export function infoPath({ info }: DpkgDatabase, installed: InstalledPackage, name: string): string {
  const qualified = `${installed.package}:${installed.architecture}.${name}`;
  return `${infoDirectory}/${info?.has(qualified) === true ? qualified : `${installed.package}.${name}`}`;
}

/** The paths that dpkg says it installed for a package. @throws ParseError */
export function loadInstalledPaths(tree: HostTree, database: DpkgDatabase, installed: InstalledPackage): string[] {
  return parseDpkgList(textAt(tree, infoPath(database, installed, "list")) ?? "");
}

function namesIn(tree: HostTree, directory: string): string[] {
  return tree.entries(directory).map(({ name }) => name);
}

function textAt(tree: HostTree, path: string): string | undefined {
  const bytes = tree.read(path);
  return bytes && decodePath(bytes);
}
