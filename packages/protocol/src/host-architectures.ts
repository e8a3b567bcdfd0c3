const debianNames: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", ia32: "i386", arm: "armhf", ppc64: "ppc64el" };

/** What a machine builds, in Debian's words, from the name that Node has for its architecture: that one, and packages that fit all. */
export function architecturesOf(nodeArchitecture: string): string[] {
  return [debianNames[nodeArchitecture] ?? nodeArchitecture, "all"];
}
