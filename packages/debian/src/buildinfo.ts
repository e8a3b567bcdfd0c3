import type { FileDigest } from "@quorate/protocol/target";
import { fileNameSchema, packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { linesOf, parseParagraph, requireField, wordsOf } from "./deb822.ts";
import { parseListedFile } from "./file-list.ts";
import { parseSourceReference } from "./packages.ts";

/** A build's own record of what it ran with and what came out. */
export type Buildinfo = {
  readonly source: string;
  readonly sourceVersion: string;
  /** That of the binaries; differs from the source's in a binNMU. */
  readonly version: string;
  readonly architectures: readonly string[];
  readonly buildArchitecture: string;
  readonly buildPath: string | undefined;
  readonly files: readonly FileDigest[];
  readonly installed: readonly { readonly package: string; readonly version: string; readonly architecture: string | undefined }[];
  /** Variables that were set, by name. */
  readonly environment: ReadonlyMap<string, string>;
};

/**
 * A .buildinfo file without its signature, deb-buildinfo(5).
 *
 *     Format: 1.0
 *     Source: hello
 *     Architecture: amd64
 *     Version: 2.10-3
 *     Checksums-Sha256:
 *      2e6e…878a 53080 hello_2.10-3_amd64.deb
 *     Build-Architecture: amd64
 *     Installed-Build-Depends:
 *      autoconf (= 2.71-3),
 *      libc6:i386 (= 2.36-9)
 *     Environment:
 *      LANG="C.UTF-8"
 *
 * @throws ParseError when a required field is missing or malformed
 */
export function parseBuildinfo(text: string): Buildinfo {
  const paragraph = parseParagraph(text, { maxCharacters: 16 * 1024 * 1024 });
  const format = requireField(paragraph, "Format");
  if (!format.startsWith("1.")) throw new ParseError("buildinfo format 1.x", format);
  const version = requireField(paragraph, "Version");
  if (!packageVersionSchema.safeParse(version).success) throw new ParseError("buildinfo: version", version);
  const { source, version: sourceVersion } = parseSourceReference(requireField(paragraph, "Source"), { package: "buildinfo", version });
  return {
    source,
    sourceVersion,
    version,
    architectures: wordsOf(paragraph, "Architecture"),
    buildArchitecture: requireField(paragraph, "Build-Architecture"),
    buildPath: paragraph.get("build-path"),
    files: linesOf(paragraph, "Checksums-Sha256").map(parseFile),
    installed: linesOf(paragraph, "Installed-Build-Depends").map(parseInstalled),
    environment: new Map(linesOf(paragraph, "Environment").map(parseVariable)),
  };
}

function parseFile(line: string): FileDigest {
  const { path: name, sizeBytes, sha256 } = parseListedFile(line);
  if (!fileNameSchema.safeParse(name).success) throw new ParseError("buildinfo: file name", name);
  return { name, sizeBytes, sha256 };
}

function parseInstalled(line: string): Buildinfo["installed"][number] {
  const [, name = "", architecture, version = ""] = /^([^\s:]+)(?::([a-z0-9-]+))? \(= (\S+)\),?$/.exec(line) ?? [];
  if (!packageNameSchema.safeParse(name).success || !packageVersionSchema.safeParse(version).success) {
    throw new ParseError("buildinfo: installed build dependency", line);
  }
  return { package: name, version, architecture };
}

/** Values are quoted, with `\"` and `\\` for the two characters that need it. */
function parseVariable(line: string): [string, string] {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"$/.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new ParseError("buildinfo: environment variable", line);
  return [name, value.replace(/\\(.)/g, "$1")];
}
