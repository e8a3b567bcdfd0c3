import { ParseError } from "@quorate/protocol/parse-error";
import { archivePathSchema, fileNameSchema, packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import type { FileDigest } from "@quorate/protocol/target";
import { linesOf, type Paragraph, parseParagraph, requireField, wordsOf } from "./deb822.ts";
import { parseListedFile } from "./file-list.ts";
import { indexParagraphs, type ParagraphIndex } from "./paragraph-index.ts";

/** One stanza of a Sources index. */
export type SourceStanza = {
  readonly source: string;
  readonly version: string;
  /** The Architecture field's words, such as `any`, `all`, `linux-any`. */
  readonly architectures: readonly string[];
  /** Below the archive's root. */
  readonly directory: string;
  /** The `.dsc` and what it names, sorted by name. */
  readonly files: readonly FileDigest[];
  /** Kept by the archive only for another package's Built-Using: not the suite's own version. */
  readonly extraSourceOnly: boolean;
  readonly paragraph: Paragraph;
};

/**
 * A stanza of a Sources index, Debian Policy §5.4 as the archive lists it.
 *
 *     Package: hello
 *     Version: 2.10-3
 *     Architecture: any
 *     Checksums-Sha256:
 *      7529…3790 1721 hello_2.10-3.dsc
 *     Directory: pool/main/h/hello
 *
 * @throws ParseError when a required field is missing or malformed
 */
export function parseSourceStanza(text: string): SourceStanza {
  const paragraph = parseParagraph(text);
  const source = requireField(paragraph, "Package");
  const version = requireField(paragraph, "Version");
  const directory = requireField(paragraph, "Directory");
  if (!packageNameSchema.safeParse(source).success) throw new ParseError("Sources stanza: package name", source);
  if (!packageVersionSchema.safeParse(version).success) throw new ParseError(`Sources stanza of ${source}: version`, version);
  if (!archivePathSchema.safeParse(directory).success) throw new ParseError(`Sources stanza of ${source}: directory`, directory);
  return {
    source,
    version,
    architectures: wordsOf(paragraph, "Architecture"),
    directory,
    files: filesOf(source, linesOf(paragraph, "Checksums-Sha256")),
    extraSourceOnly: paragraph.get("extra-source-only") === "yes",
    paragraph,
  };
}

function filesOf(source: string, lines: readonly string[]): FileDigest[] {
  const files = lines.map((line) => {
    const { path: name, sizeBytes, sha256 } = parseListedFile(line);
    if (!fileNameSchema.safeParse(name).success) throw new ParseError(`Sources stanza of ${source}: file name`, name);
    return { name, sizeBytes, sha256 };
  });
  if (files.length === 0) throw new ParseError(`Sources stanza of ${source}: Checksums-Sha256`, "");
  if (new Set(files.map((file) => file.name)).size < files.length) throw new ParseError(`Sources stanza of ${source}: file twice`, source);
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Where each source's stanzas stand in the bytes of a Sources index. @throws ParseError for a stanza without a name */
export function indexSources(bytes: Uint8Array): ParagraphIndex {
  return indexParagraphs(bytes, ["Package"]);
}
