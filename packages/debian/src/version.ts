import { ParseError } from "@quorate/protocol/parse-error";

export type DebianVersion = { readonly epoch: number; readonly upstream: string; readonly revision: string };

const grammar = /^(?:(\d{1,9}):)?([0-9A-Za-z][0-9A-Za-z.+~:-]*?)(?:-([0-9A-Za-z+.~]+))?$/;

/**
 * A version `[epoch:]upstream[-revision]`, Debian Policy §5.6.12. As dpkg does when it reads a status file, an upstream version that
 * starts with a letter is taken.
 *
 *     parseVersion("1:2.10-3+b1")  // { epoch: 1, upstream: "2.10", revision: "3+b1" }
 *
 * @throws ParseError for anything else
 */
export function parseVersion(text: string): DebianVersion {
  const match = text.length <= 300 ? grammar.exec(text) : null;
  if (match === null) throw new ParseError("Debian version", text);
  const [, epoch, upstream = "", revision = ""] = match;
  // A colon belongs to the upstream version only where an epoch stands before it; a last hyphen wants a revision behind it.
  if ((epoch === undefined && upstream.includes(":")) || upstream.endsWith("-")) throw new ParseError("Debian version", text);
  return { epoch: Number(epoch ?? 0), upstream, revision };
}

/** The inverse of `parseVersion`; an epoch of 0 is left out unless the upstream version has a colon. */
export function formatVersion({ epoch, upstream, revision }: DebianVersion): string {
  return `${epoch > 0 || upstream.includes(":") ? `${epoch}:` : ""}${upstream}${revision === "" ? "" : `-${revision}`}`;
}

/**
 * Debian's order of versions (deb-version(7)): negative when `a` sorts before `b`, zero when they are equal in that order ("1.0" and
 * "1.00" are), positive otherwise.
 *
 * @throws ParseError when either is not a version
 */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  return Math.sign(x.epoch - y.epoch) || comparePart(x.upstream, y.upstream) || comparePart(x.revision, y.revision);
}

/** The newest of some versions; undefined of none. */
export function newestVersion(versions: Iterable<string>): string | undefined {
  let newest: string | undefined;
  for (const version of versions) if (newest === undefined || compareVersions(version, newest) > 0) newest = version;
  return newest;
}

/**
 * The `+b1` of a binary package that the distribution rebuilt from an unchanged source (a binNMU); undefined when there is none.
 *
 *     binNmuSuffix({ source: "2.10-3", binary: "2.10-3+b1" }) === "+b1"
 */
export function binNmuSuffix({ source, binary }: { source: string; binary: string }): string | undefined {
  const suffix = binary.startsWith(source) ? binary.slice(source.length) : "";
  return /^\+b[1-9]\d{0,3}$/.test(suffix) ? suffix : undefined;
}

/** Alternately compares a run of non-digits, character by character, and a run of digits, as numbers of any length. */
function comparePart(a: string, b: string): number {
  const [x, y] = [runs(a), runs(b)];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const [left = "", right = ""] = [x[i], y[i]];
    const order = i % 2 === 0 ? compareLetters(left, right) : compareDigits(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

/** "1.10~rc" → ["", "1", ".", "10", "~rc"]: non-digits at even places, digits at odd ones. */
function runs(text: string): string[] {
  return text.split(/(\d+)/);
}

function compareLetters(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = weight(a[i]) - weight(b[i]);
    if (order !== 0) return Math.sign(order);
  }
  return 0;
}

/** `~` sorts before the end, the end before letters, letters before everything else. */
function weight(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === "~") return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function compareDigits(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  if (x.length !== y.length) return Math.sign(x.length - y.length);
  return x === y ? 0 : x < y ? -1 : 1;
}
