import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { architectureSchema, archivePathSchema, packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { type Paragraph, parseParagraph, requireField } from "./deb822.ts";
import { indexParagraphs, type ParagraphIndex } from "./paragraph-index.ts";

/** One stanza of a Packages index. */
export type PackageStanza = {
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
  readonly source: SourceReference;
  /** Path below the archive's root. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
  readonly paragraph: Paragraph;
};

export type SourceReference = { readonly source: string; readonly version: string };

/**
 * A stanza of a Packages index, Debian Policy §5.3 as the archive lists it.
 *
 *     Package: hello
 *     Version: 2.10-3
 *     Architecture: amd64
 *     Filename: pool/main/h/hello/hello_2.10-3_amd64.deb
 *     Size: 53080
 *     SHA256: 2e6e…878a
 *
 * @throws ParseError when a required field is missing or malformed
 */
export function parsePackageStanza(text: string): PackageStanza {
  const paragraph = parseParagraph(text);
  const name = requireField(paragraph, "Package");
  const version = requireField(paragraph, "Version");
  const architecture = requireField(paragraph, "Architecture");
  const path = requireField(paragraph, "Filename");
  const size = requireField(paragraph, "Size");
  if (!packageNameSchema.safeParse(name).success) throw new ParseError("Packages stanza: package name", name);
  if (!packageVersionSchema.safeParse(version).success) throw new ParseError(`Packages stanza of ${name}: version`, version);
  if (!architectureSchema.safeParse(architecture).success) throw new ParseError(`Packages stanza of ${name}: architecture`, architecture);
  if (!archivePathSchema.safeParse(path).success) throw new ParseError(`Packages stanza of ${name}: file name`, path);
  if (!/^(0|[1-9]\d{0,14})$/.test(size)) throw new ParseError(`Packages stanza of ${name}: size`, size);
  return {
    package: name,
    version,
    architecture,
    source: parseSourceReference(paragraph.get("source"), { package: name, version }),
    path,
    sizeBytes: Number(size),
    sha256: parseSha256(requireField(paragraph, "SHA256")),
    paragraph,
  };
}

/**
 * The source that a binary package was built from, Debian Policy §5.6.1. The field is left out when name and version are the binary's own,
 * and its version when only the name differs.
 *
 *     parseSourceReference("glibc (2.36-9)", { package: "libc6", version: "2.36-9+b1" })  // { source: "glibc", version: "2.36-9" }
 *
 * @throws ParseError for a malformed field
 */
export function parseSourceReference(field: string | undefined, binary: { package: string; version: string }): SourceReference {
  if (field === undefined) return { source: binary.package, version: binary.version };
  const [, source, version] = /^(\S+)(?: \((\S+)\))?$/.exec(field) ?? [];
  const reference = { source: source ?? "", version: version ?? binary.version };
  const valid = packageNameSchema.safeParse(reference.source).success && packageVersionSchema.safeParse(reference.version).success;
  if (!valid) throw new ParseError(`Source field of ${binary.package}`, field);
  return reference;
}

/** Where the stanzas of each source's binaries stand in the bytes of a Packages index. @throws ParseError for a stanza without a name */
export function indexPackagesBySource(bytes: Uint8Array): ParagraphIndex {
  return indexParagraphs(bytes, ["Source", "Package"]);
}

/** Where each binary package's stanzas stand in the bytes of a Packages index. @throws ParseError for a stanza without a name */
export function indexPackagesByName(bytes: Uint8Array): ParagraphIndex {
  return indexParagraphs(bytes, ["Package"]);
}
