import { architectureSchema, packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { type Paragraph, parseParagraphs, requireField } from "./deb822.ts";
import { parseSourceReference, type SourceReference } from "./packages.ts";

/** A package that is installed on a system. */
export type InstalledPackage = {
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
  readonly source: SourceReference;
};

/**
 * The installed packages of a dpkg database (the file `/var/lib/dpkg/status`), by name and architecture. Packages of which only
 * configuration files remain are left out; so is one whose installation did not finish, unless dpkg had unpacked it.
 *
 *     Package: hello
 *     Status: install ok installed
 *     Architecture: amd64
 *     Version: 2.10-3
 *
 * @throws ParseError for a stanza without name, status, version or architecture
 */
export function parseDpkgStatus(text: string): InstalledPackage[] {
  return parseParagraphs(text)
    .filter((paragraph) => isUnpacked(paragraph))
    .map((paragraph) => installedPackageOf(paragraph))
    .sort((a, b) => (a.package === b.package ? order(a.architecture, b.architecture) : order(a.package, b.package)));
}

/** dpkg(1), "Package states": in these its files are on the disk. */
const unpackedStates = new Set(["unpacked", "half-configured", "triggers-awaited", "triggers-pending", "installed"]);

function isUnpacked(paragraph: Paragraph): boolean {
  const [want, flag, state, ...rest] = requireField(paragraph, "Status").split(" ");
  if (want === undefined || flag === undefined || state === undefined || rest.length > 0) {
    throw new ParseError("dpkg status", paragraph.get("status") ?? "");
  }
  return unpackedStates.has(state);
}

function installedPackageOf(paragraph: Paragraph): InstalledPackage {
  const name = requireField(paragraph, "Package");
  const version = requireField(paragraph, "Version");
  const architecture = requireField(paragraph, "Architecture");
  if (!packageNameSchema.safeParse(name).success) throw new ParseError("dpkg status: package name", name);
  if (!packageVersionSchema.safeParse(version).success) throw new ParseError(`dpkg status of ${name}: version`, version);
  if (!architectureSchema.safeParse(architecture).success) throw new ParseError(`dpkg status of ${name}: architecture`, architecture);
  return { package: name, version, architecture, source: parseSourceReference(paragraph.get("source"), { package: name, version }) };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
