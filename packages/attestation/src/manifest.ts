import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { boundedText } from "@quorate/tlog/bounded-text";
import { parseDecimal } from "@quorate/tlog/decimal";
import { compareByBytes, escapePath, unescapePath } from "./path-text.ts";

export const memberKinds = ["file", "directory", "symlink", "hardlink", "character-device", "block-device", "fifo"] as const;
export type MemberKind = (typeof memberKinds)[number];

/** A member of a binary package: of its control archive, or of its data archive, which is what is installed. */
export type ManifestMember = {
  readonly part: "control" | "data";
  /** Without a leading `./` or `/`, and without a trailing `/`; the archive's root itself is `.`. As `decodePath` gives it. */
  readonly path: string;
  readonly kind: MemberKind;
  /** Permission bits, at most 0o7777. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
  /** Of a file's content; a hard link has the digest of what it links to. */
  readonly sha256?: Sha256;
  /** Of symbolic and hard links. */
  readonly linkTarget?: string;
  /** Whether the package's conffiles list this path. */
  readonly conffile: boolean;
};

const header = "quorate manifest v1";
const maxMembers = 500_000;
const maxManifestBytes = 134_217_728;

/**
 * The manifest of a binary package: a pure function of it, so that builds agree on its digest. A line a member, sorted by part and path:
 * part, SHA-256, kind, mode, size, owner:group, `conffile`, path, link target; `-` where there is none.
 *
 *     quorate manifest v1
 *     control 2c26b46b… file 0644 120 root:root - md5sums -
 *     data 9f86d081… file 0644 4 root:root conffile etc/mailgraph.conf -
 *     data - symlink 0777 0 root:root - usr/share/doc/a b
 *
 * Paths, names and targets are written by `escapePath`; a path or target that is `-` is written `%2D`.
 *
 * @throws ParseError when two members of a part have one path
 */
export function formatManifest(members: readonly ManifestMember[]): string {
  const written = members.map((member) => ({ key: `${member.part} ${wordOf(member.path)}`, line: formatMember(member) }));
  written.sort((a, b) => compareByBytes(a.key, b.key));
  for (const [position, { key }] of written.entries()) {
    if (key === written[position - 1]?.key) throw new ParseError("manifest whose paths are distinct", key);
  }
  return `${header}\n${written.map(({ line }) => line).join("")}`;
}

/**
 * The inverse of `formatManifest`: a manifest has one spelling.
 *
 * @throws ParseError
 */
export function parseManifest(text: string): ManifestMember[] {
  const [first, ...lines] = boundedText("manifest", text, maxManifestBytes).split("\n");
  if (first !== header || lines.pop() !== "") throw new ParseError(`manifest (first line "${header}", last one ends in a newline)`, text);
  if (lines.length > maxMembers) throw new ParseError(`manifest of at most ${maxMembers} members`, `${lines.length} members`);
  const members: ManifestMember[] = [];
  let before = "";
  for (const line of lines) {
    const { member, key } = parseLine(line);
    if (compareByBytes(before, key) >= 0) throw new ParseError("manifest whose paths are distinct, and in order", key);
    members.push(member);
    before = key;
  }
  return members;
}

function formatMember(member: ManifestMember): string {
  const { part, sha256, kind, mode, sizeBytes, owner, group, conffile, path, linkTarget } = member;
  const words = [
    part,
    sha256 ?? "-",
    kind,
    mode.toString(8).padStart(4, "0"),
    String(sizeBytes),
    `${nameOf(owner)}:${nameOf(group)}`,
    conffile ? "conffile" : "-",
    wordOf(path),
    linkTarget === undefined ? "-" : wordOf(linkTarget),
  ];
  return `${words.join(" ")}\n`;
}

const memberLine = /^(control|data) (-|[0-9a-f]{64}) ([a-z-]+) ([0-7]{4}) ([0-9]+) ([^ :]+):([^ :]+) (-|conffile) ([^ ]+) ([^ ]+)$/;

/** A member, and by what it is sorted. Each of its words has one spelling. */
function parseLine(line: string): { member: ManifestMember; key: string } {
  const [, part, sha256, kind, mode, size, owner, group, mark, path, target] = memberLine.exec(line) ?? [];
  if (sha256 === undefined || mode === undefined || size === undefined || path === undefined || target === undefined) {
    throw new ParseError("line of a manifest", line);
  }
  const member: ManifestMember = {
    part: part === "control" ? "control" : "data",
    path: textOfWord(path),
    kind: parseKind(kind ?? ""),
    mode: Number.parseInt(mode, 8),
    owner: nameOfWord(owner ?? ""),
    group: nameOfWord(group ?? ""),
    sizeBytes: parseDecimal("size in a manifest", size),
    ...(sha256 === "-" ? {} : { sha256: parseSha256(sha256) }),
    ...(target === "-" ? {} : { linkTarget: textOfWord(target) }),
    conffile: mark === "conffile",
  };
  return { member, key: `${part} ${path}` };
}

function parseKind(text: string): MemberKind {
  const kind = memberKinds.find((known) => known === text);
  if (kind === undefined) throw new ParseError("kind of a manifest's member", text);
  return kind;
}

/** A word that is not empty and cannot be taken for "none". */
function wordOf(text: string): string {
  if (text === "") throw new ParseError("path, link target, owner or group in a manifest", text);
  return text === "-" ? "%2D" : escapePath(text);
}

/** A user's or a group's name; a colon would split the pair elsewhere. */
function nameOf(name: string): string {
  return wordOf(name).replaceAll(":", "%3A");
}

/** The inverse of `wordOf`. */
function textOfWord(word: string): string {
  if (word === "%2D") return "-";
  if (word === "-") throw new ParseError("path, owner or group in a manifest", word);
  return unescapePath(word);
}

/** The inverse of `nameOf`, of a word without a colon. */
function nameOfWord(word: string): string {
  return textOfWord(word.includes("%3A") ? word.replaceAll("%3A", ":") : word);
}
