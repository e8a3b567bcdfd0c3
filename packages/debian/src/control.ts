import { formatParagraph, type Paragraph } from "./deb822.ts";

const relationFields = [
  "Build-Depends",
  "Build-Depends-Arch",
  "Build-Depends-Indep",
  "Build-Conflicts",
  "Build-Conflicts-Arch",
  "Build-Conflicts-Indep",
] as const;

/**
 * The build relations of a Sources stanza in the form of a .dsc file, which `apt-get build-dep ./NAME.dsc` reads: what a build needs comes
 * from the signed index, not from a file of the source itself.
 *
 *     Format: 1.0
 *     Source: hello
 *     Binary: hello
 *     Architecture: any
 *     Version: 2.10-3
 *     Maintainer: Quorate <root@localhost>
 *     Build-Depends: debhelper-compat (= 13), help2man, texinfo
 *
 * @throws TypeError when a value cannot be written
 */
export function formatBuildControl({ source, version, architectures, paragraph }: BuildControl): string {
  const fields: [string, string][] = [
    ["Format", "1.0"],
    ["Source", source],
    ["Binary", source],
    ["Architecture", architectures.join(" ")],
    ["Version", version],
    ["Maintainer", "Quorate <root@localhost>"],
  ];
  for (const [name, value] of buildRelations(paragraph)) fields.push([name, value]);
  return formatParagraph(fields);
}

type BuildControl = { source: string; version: string; architectures: readonly string[]; paragraph: Paragraph };

/** The build relation fields that a stanza has, in a fixed order, each on one line with single spaces: equal relations are equal text. */
export function buildRelations(paragraph: Paragraph): [name: string, value: string][] {
  return relationFields.flatMap((name): [string, string][] => {
    const value = (paragraph.get(name.toLowerCase()) ?? "").replace(/\s+/g, " ").trim();
    return value === "" ? [] : [[name, value]];
  });
}
