import type { StatOverride } from "@quorate/debian/dpkg-statoverride";

/** Owners and modes that Debian's maintainer scripts give to paths of their packages. Only what is listed here may gain a set-id bit. */
const known: readonly StatOverride[] = [];

const byPath = new Map(known.map((mode) => [mode.path, mode]));

export function knownMode(path: string): StatOverride | undefined {
  return byPath.get(path);
}
