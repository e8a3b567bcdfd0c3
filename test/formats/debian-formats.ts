import { parseAptHookMessage } from "@quorate/debian/apt-json-hook";
import { parsePreInstall } from "@quorate/debian/apt-pre-install";
import { parseArchiveDate } from "@quorate/debian/archive-date";
import { parseBuildinfo } from "@quorate/debian/buildinfo";
import { parseChangelogEntry, prependBinaryOnlyEntry } from "@quorate/debian/changelog";
import { formatParagraph, parseParagraph, parseParagraphs } from "@quorate/debian/deb822";
import { parseDiversions } from "@quorate/debian/dpkg-diversions";
import { parseDpkgList } from "@quorate/debian/dpkg-list";
import { parsePathFilter } from "@quorate/debian/dpkg-path-filter";
import { parseStatOverrides } from "@quorate/debian/dpkg-statoverride";
import { parseDpkgStatus } from "@quorate/debian/dpkg-status";
import { formatListedFile, parseListedFile } from "@quorate/debian/file-list";
import { indexPackagesByName, indexPackagesBySource, parsePackageStanza, parseSourceReference } from "@quorate/debian/packages";
import { parseRelease } from "@quorate/debian/release";
import { indexSources, parseSourceStanza } from "@quorate/debian/sources";
import { compareVersions, formatVersion, parseVersion } from "@quorate/debian/version";
import { timeSchema } from "@quorate/protocol/names";
import { type Format, looseText } from "./format.ts";

const ofText = (parse: (text: string) => unknown) => (input: Uint8Array) => parse(looseText(input));

export const debianFormats: readonly Format[] = [
  {
    name: "version",
    vectors: "debian/version",
    parse: ofText((text) => {
      const again = formatVersion(parseVersion(text));
      if (compareVersions(text, again) !== 0) throw new Error(`parsed, but written as ${again}`);
    }),
  },
  {
    name: "control file",
    vectors: "debian/control-file",
    parse: ofText((text) => {
      for (const comments of [false, true]) parseParagraphs(text, { comments });
      for (const paragraph of parseParagraphs(text)) if (isWritable(paragraph)) parseParagraph(formatParagraph(paragraph));
    }),
  },
  { name: "Release file", vectors: "debian/release", parse: ofText((text) => demandTime(parseRelease(text).date)) },
  { name: "Sources stanza", vectors: "debian/sources-stanza", parse: ofText(parseSourceStanza) },
  { name: "Packages stanza", vectors: "debian/packages-stanza", parse: ofText(parsePackageStanza) },
  {
    name: "index file",
    vectors: "debian/index-file",
    parse: (input) => [indexSources(input), indexPackagesByName(input), indexPackagesBySource(input)],
  },
  { name: "buildinfo", vectors: "debian/buildinfo", parse: ofText(parseBuildinfo) },
  {
    name: "changelog",
    vectors: "debian/changelog",
    parse: ofText((text) => {
      demandTime(parseChangelogEntry(text).date);
      prependBinaryOnlyEntry(text, { published: text, version: parseChangelogEntry(text).version });
    }),
  },
  { name: "dpkg status", vectors: "debian/dpkg-status", parse: ofText(parseDpkgStatus) },
  { name: "dpkg list", vectors: "debian/dpkg-list", parse: ofText(parseDpkgList) },
  { name: "dpkg diversions", vectors: "debian/dpkg-diversions", parse: ofText(parseDiversions) },
  { name: "dpkg statoverride", vectors: "debian/dpkg-statoverride", parse: ofText(parseStatOverrides) },
  {
    name: "dpkg path filter",
    vectors: "debian/dpkg-path-filter",
    parse: ofText((text) => parsePathFilter([text])("usr/share/doc/a/copyright")),
  },
  { name: "apt's hook", vectors: "debian/apt-pre-install", parse: ofText(parsePreInstall) },
  { name: "apt's JSON hook", vectors: "debian/apt-json-hook", parse: ofText(parseAptHookMessage) },
  { name: "date", vectors: "debian/date", parse: ofText((text) => demandTime(parseArchiveDate(text))) },
  {
    name: "checksum line",
    vectors: "debian/checksum-line",
    parse: ofText((text) => parseListedFile(formatListedFile(parseListedFile(text)))),
  },
  {
    name: "Source field",
    vectors: "debian/source-field",
    parse: ofText((text) => parseSourceReference(text, { package: "libc6", version: "2.36-9+b1" })),
  },
];

function demandTime(time: string): void {
  if (!timeSchema.safeParse(time).success) throw new Error(`parsed as the time ${time}, which is none`);
}

/** A value may hold an empty line or a carriage return, which a control file cannot say. */
function isWritable(paragraph: ReadonlyMap<string, string>): boolean {
  return [...paragraph.values()].every((value) => !value.includes("\r") && !/\n[\s\ufeff]*(?:\n|$)/.test(value));
}
