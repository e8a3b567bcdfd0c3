import { packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { parseArchiveDate } from "./archive-date.ts";

/** One entry of a debian/changelog. */
export type ChangelogEntry = {
  readonly source: string;
  readonly version: string;
  readonly distributions: readonly string[];
  /** An entry of a rebuild that changed no source (a binNMU): it stands in binary packages only. */
  readonly binaryOnly: boolean;
  readonly maintainer: string;
  /** RFC 3339, UTC. What SOURCE_DATE_EPOCH is set to. */
  readonly date: string;
  /** The entry as it stands, from its heading to the end of its trailer line. */
  readonly text: string;
};

const maxCharacters = 16 * 1024 * 1024;
// With `s` the last part matches whatever is left: nothing makes the runs before it be tried again at each of their characters.
const heading = /^([a-z0-9][a-z0-9+.-]*) \(([^()\s]+)\)((?: [A-Za-z0-9][\w.+-]*)+);[ \t]*(.*)$/s;
const trailer = /^ -- (.*?) {2}(\S.*)$/s;

/**
 * The newest entry of a changelog, deb-changelog(5).
 *
 *     hello (2.10-3) unstable; urgency=medium
 *
 *       * Fix it.
 *
 *      -- Santiago Vila <sanvila@debian.org>  Mon, 26 Dec 2022 16:30:00 +0100
 *
 * @throws ParseError when the text does not start with a whole entry
 */
export function parseChangelogEntry(text: string): ChangelogEntry {
  if (text.length > maxCharacters) throw new ParseError(`changelog of at most ${maxCharacters} characters`, text);
  const start = /^\s*?(?=\S)/.exec(text)?.[0].length ?? 0;
  const lines = text.slice(start, start + 1024 * 1024).split("\n");
  const [, source = "", version = "", distributions = "", metadata = ""] = heading.exec(lines[0] ?? "") ?? [];
  if (!packageNameSchema.safeParse(source).success || !packageVersionSchema.safeParse(version).success) {
    throw new ParseError("changelog heading", lines[0] ?? "");
  }
  const end = lines.findIndex((line, i) => i > 0 && line !== "" && !/^[ \t]{2}|^[ \t]*$/.test(line));
  const [, maintainer, date] = trailer.exec((lines[end] ?? "").trimEnd()) ?? [];
  if (maintainer === undefined || date === undefined) throw new ParseError(`changelog entry ${version}: trailer`, lines[end] ?? "");
  return {
    source,
    version,
    distributions: distributions.trim().split(" "),
    binaryOnly: metadata.split(",").some((item) => /^binary-only=yes$/i.test(item.trim())),
    maintainer,
    date: parseArchiveDate(date),
    text: `${lines.slice(0, end + 1).join("\n")}\n`,
  };
}

/**
 * A source's changelog with the entry of a published binNMU in front, from that binary package's own changelog. What stands there is
 * kept as it is: its text goes into the binaries that are rebuilt, and its date into their files.
 *
 * @throws ParseError unless the published changelog starts with a binary-only entry of this source and of `version`
 */
export function prependBinaryOnlyEntry(changelog: string, { published, version }: { published: string; version: string }): string {
  const entry = parseChangelogEntry(published);
  const { source } = parseChangelogEntry(changelog);
  if (!entry.binaryOnly || entry.version !== version || entry.source !== source) {
    throw new ParseError(`changelog with a binary-only entry ${source} (${version}) first`, entry.text);
  }
  return `${entry.text}\n${changelog}`;
}
