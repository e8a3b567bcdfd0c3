import { ParseError } from "@quorate/protocol/parse-error";

/** The fields of one paragraph: names in lower case (they are case-insensitive), values with their lines joined by `\n`. */
export type Paragraph = ReadonlyMap<string, string>;

export type Deb822Options = {
  /** Lines that start with `#` are comments, as in debian/control and apt's `.sources` files; elsewhere they are an error. */
  comments?: boolean;
  maxCharacters?: number;
  maxParagraphs?: number;
};

const fieldLine = /^([!-9;-~]+):[ \t]*(.*)$/s;

/**
 * The paragraphs of a control file, Debian Policy §5.1: paragraphs parted by empty lines, fields `Name: value`, continuation lines that
 * start with a space or a tab.
 *
 *     Package: hello
 *     Checksums-Sha256:
 *      31e0…516b 725946 hello_2.10.orig.tar.gz
 *
 * A value keeps its lines without the one white-space character that marks a continuation and without trailing white space.
 *
 * @throws ParseError for a line that is neither field, continuation nor empty, for a field given twice, and beyond the bounds
 */
export function parseParagraphs(text: string, options: Deb822Options = {}): Paragraph[] {
  const { comments = false, maxCharacters = 64 * 1024 * 1024, maxParagraphs = 500_000 } = options;
  if (text.length > maxCharacters) throw new ParseError(`control file of at most ${maxCharacters} characters`, text);
  const paragraphs: Paragraph[] = [];
  let open: Map<string, string> | undefined;
  let name = "";
  for (const raw of text.split("\n")) {
    const line = raw.trimEnd();
    if (comments && line.startsWith("#")) continue;
    if (line === "") {
      // Policy §5.1: lines of only white space part paragraphs too.
      open = undefined;
    } else if (line.startsWith(" ") || line.startsWith("\t")) {
      if (open === undefined) throw new ParseError("control file: continuation line without a field", line);
      open.set(name, `${open.get(name) ?? ""}\n${line.slice(1)}`);
    } else {
      if (open === undefined) paragraphs.push((open = new Map()));
      if (paragraphs.length > maxParagraphs) throw new ParseError(`control file of at most ${maxParagraphs} paragraphs`, line);
      name = addField(open, line);
    }
  }
  return paragraphs;
}

function addField(paragraph: Map<string, string>, line: string): string {
  const match = fieldLine.exec(line);
  if (match === null || line.startsWith("#") || line.startsWith("-")) throw new ParseError("control file: field line", line);
  const name = (match[1] ?? "").toLowerCase();
  if (paragraph.has(name)) throw new ParseError("control file: field given twice", line);
  paragraph.set(name, match[2] ?? "");
  return name;
}

/**
 * The only paragraph of a text such as an index stanza or a Release file.
 *
 * @throws ParseError unless there is exactly one, and as `parseParagraphs`
 */
export function parseParagraph(text: string, options: Deb822Options = {}): Paragraph {
  const [paragraph, second] = parseParagraphs(text, options);
  if (paragraph === undefined || second !== undefined) throw new ParseError("control file of exactly one paragraph", text);
  return paragraph;
}

/**
 * A paragraph's text, the inverse of `parseParagraph`. An empty line inside a value cannot be written and is refused.
 *
 * @throws TypeError for a name or a value that a control file cannot hold
 */
export function formatParagraph(fields: Iterable<readonly [name: string, value: string]>): string {
  let text = "";
  for (const [name, value] of fields) {
    const [first = "", ...rest] = value.split("\n");
    const writable = fieldLine.test(`${name}:`) && !/^[#-]/.test(name) && rest.every((line) => line.trim() !== "") && !value.includes("\r");
    if (!writable) throw new TypeError(`a control file cannot hold the field ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
    text += `${name}:${first === "" ? "" : ` ${first}`}\n${rest.map((line) => ` ${line}\n`).join("")}`;
  }
  return text;
}

/** @throws ParseError when the paragraph lacks the field, or has it empty */
export function requireField(paragraph: Paragraph, name: string): string {
  const value = paragraph.get(name.toLowerCase());
  if (value === undefined || value === "") throw new ParseError(`field ${name}`, [...paragraph.keys()].join(", "));
  return value;
}

/** The white-space separated words of a field, over all its lines; none when it is absent. */
export function wordsOf(paragraph: Paragraph, name: string): string[] {
  return (paragraph.get(name.toLowerCase()) ?? "").split(/\s+/).filter((word) => word !== "");
}

/** The continuation lines of a multi-line field, trimmed, without the empty ones; none when the field is absent. */
export function linesOf(paragraph: Paragraph, name: string): string[] {
  return (paragraph.get(name.toLowerCase()) ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
