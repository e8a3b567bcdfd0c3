import { architectureSchema, packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";

/** A package that apt is about to have unpacked. */
export type PendingPackage = {
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
  /** Of the .deb on this host. */
  readonly path: string;
};

const maxLines = 500_000;

/**
 * What apt tells a `DPkg::Pre-Install-Pkgs` hook of version 3 (apt.conf(5)): its configuration, an empty line, and a line a package: name, old
 * version, architecture and multi-arch, `<`, `=` or `>`, the same three of the new one, and the .deb's path, or `**CONFIGURE**` and
 * `**REMOVE**`, which bring no new bytes and are left out.
 *
 *     VERSION 3
 *     APT::Architecture=amd64
 *
 *     hello - - none < 2.10-3 amd64 none /var/cache/apt/archives/hello_2.10-3_amd64.deb
 *
 * @throws ParseError
 */
export function parsePreInstall(text: string): PendingPackage[] {
  const lines = text.split("\n");
  if (lines[0] !== "VERSION 3" || lines.length > maxLines)
    throw new ParseError("input of a Pre-Install-Pkgs hook, version 3", text.slice(0, 100));
  const empty = lines.indexOf("");
  if (empty < 0 || empty === lines.length - 1 || lines.at(-1) !== "")
    throw new ParseError("input of a Pre-Install-Pkgs hook with an empty line and a last newline", text.slice(-100));
  return lines.slice(empty + 1, -1).flatMap(pendingOf);
}

function pendingOf(line: string): PendingPackage[] {
  const [, name, version, architecture, action = ""] = /^(\S+) \S+ \S+ \S+ [<=>] (\S+) (\S+) \S+ (.+)$/.exec(line) ?? [];
  if (action === "**CONFIGURE**" || action === "**REMOVE**") return [];
  const isPackage =
    packageNameSchema.safeParse(name).success &&
    packageVersionSchema.safeParse(version).success &&
    architectureSchema.safeParse(architecture).success;
  if (!isPackage || name === undefined || version === undefined || architecture === undefined || !action.startsWith("/")) {
    throw new ParseError("line of a Pre-Install-Pkgs hook", line);
  }
  return [{ package: name, version, architecture, path: action }];
}
