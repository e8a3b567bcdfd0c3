import { ParseError } from "@quorate/protocol/parse-error";
import { archivePathSchema } from "@quorate/protocol/names";
import { parseArchiveDate } from "./archive-date.ts";
import { linesOf, parseParagraph, requireField, wordsOf } from "./deb822.ts";
import { type ListedFile, parseListedFile } from "./file-list.ts";

/** What a suite's Release file says about its archive. */
export type Release = {
  readonly origin: string | undefined;
  readonly label: string | undefined;
  readonly suite: string | undefined;
  readonly codename: string | undefined;
  readonly version: string | undefined;
  /** RFC 3339, UTC. */
  readonly date: string;
  readonly validUntil: string | undefined;
  readonly acquireByHash: boolean;
  readonly architectures: readonly string[];
  readonly components: readonly string[];
  /** True when packages of architecture `all` stand in `binary-all` alone, not again in each architecture's index. */
  readonly separateArchitectureAll: boolean;
  /** The files of the `SHA256` field by their path below the suite's directory. */
  readonly files: ReadonlyMap<string, ListedFile>;
};

const maxCharacters = 16 * 1024 * 1024;

/**
 * A Release file, or the signed text of an InRelease file: the Debian repository format's "Release" files.
 *
 *     Suite: oldstable
 *     Codename: bookworm
 *     Date: Sat, 11 Jul 2026 10:16:37 UTC
 *     Acquire-By-Hash: yes
 *     Architectures: all amd64
 *     Components: main contrib
 *     SHA256:
 *      92d7…2844 50724597 main/source/Sources
 *
 * MD5 and SHA-1 lists are ignored.
 *
 * @throws ParseError when a required field is missing, a date or a checksum line is malformed, or a path is listed twice
 */
export function parseRelease(text: string): Release {
  const paragraph = parseParagraph(text, { maxCharacters });
  const validUntil = paragraph.get("valid-until");
  const architectures = wordsOf(paragraph, "Architectures");
  return {
    origin: paragraph.get("origin"),
    label: paragraph.get("label"),
    suite: paragraph.get("suite"),
    codename: paragraph.get("codename"),
    version: paragraph.get("version"),
    date: parseArchiveDate(requireField(paragraph, "Date")),
    validUntil: validUntil === undefined ? undefined : parseArchiveDate(validUntil),
    acquireByHash: paragraph.get("acquire-by-hash") === "yes",
    architectures,
    components: wordsOf(paragraph, "Components"),
    separateArchitectureAll: architectures.includes("all") && paragraph.get("no-support-for-architecture-all") !== "Packages",
    files: filesOf(linesOf(paragraph, "SHA256")),
  };
}

function filesOf(lines: readonly string[]): Map<string, ListedFile> {
  if (lines.length === 0) throw new ParseError("Release file with a SHA256 list", "");
  const files = new Map<string, ListedFile>();
  for (const line of lines) {
    const file = parseListedFile(line);
    if (files.has(file.path)) throw new ParseError("Release file: path listed twice", line);
    if (!archivePathSchema.safeParse(file.path).success) throw new ParseError("Release file: path", file.path);
    files.set(file.path, file);
  }
  return files;
}
