import { constants } from "node:fs";
import { copyFile, link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ArchiveError } from "@quorate/archive/archive-error";
import { formatParagraph } from "@quorate/debian/deb822";
import type { SourceStanza } from "@quorate/debian/sources";
import type { FileDigest } from "@quorate/protocol/target";
import { BuildFailure } from "./build-failure.ts";
import type { PackageCache } from "./package-cache.ts";

export type SourceFiles = {
  /** The name of the .dsc in the directory. */
  description: string;
  /** The files that came from the archive, by the digests of the target. */
  verified: FileDigest[];
  /** True where the archive's mirror has no .dsc and one made from the signed Sources index stands in for it. */
  descriptionMadeAnew: boolean;
};

export type SourceRequest = {
  stanza: SourceStanza;
  archiveUrl: string;
  cache: PackageCache;
  /** An own directory, that will be seen read-only in the sandbox. */
  directory: string;
  signal: AbortSignal;
};

const step = "source";

/** Puts the target's source files, checked by digest, into a directory. @throws BuildFailure "source-unavailable" */
export async function fetchSourceFiles(request: SourceRequest): Promise<SourceFiles> {
  const { stanza, directory } = request;
  const description = stanza.files.find(({ name }) => name.endsWith(".dsc"))?.name;
  if (description === undefined) throw new BuildFailure("source-unavailable", { step, message: `${stanza.source} has no .dsc file` });
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const verified: FileDigest[] = [];
  for (const file of stanza.files) {
    if (await fetchSourceFile(file, request)) verified.push(file);
    else await writeFile(join(directory, file.name), formatSourceDescription(stanza));
  }
  return { description, verified, descriptionMadeAnew: verified.length < stanza.files.length };
}

/** @returns false for a .dsc that the mirror lacks */
async function fetchSourceFile(file: FileDigest, { archiveUrl, stanza, cache, directory, signal }: SourceRequest): Promise<boolean> {
  try {
    const url = `${archiveUrl}/${stanza.directory}/${file.name}`;
    await place(await cache.load({ url, sizeBytes: file.sizeBytes, sha256: file.sha256 }, signal), join(directory, file.name));
    return true;
  } catch (cause) {
    if (!(cause instanceof ArchiveError)) throw cause;
    if (file.name.endsWith(".dsc") && cause.code === "not-found") return false;
    throw new BuildFailure("source-unavailable", { step, message: cause.message }, { cause });
  }
}

/** The bytes were just checked; a link, where the file system allows one, is to those very bytes. */
async function place(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_EXCL));
}

const ofTheIndexOnly = new Set(["package", "directory", "priority", "section", "extra-source-only", "files", "checksums-sha1"]);

/**
 * A .dsc file, dsc(5), with what the Sources index says of a source: names and digests of its files are the archive's own, only the
 * maintainer's signature is missing.
 */
export function formatSourceDescription(stanza: SourceStanza): string {
  const fields: [string, string][] = [];
  const files = (stanza.paragraph.get("files") ?? "").split("\n").filter((line) => !line.endsWith(".dsc"));
  const sums = stanza.files
    .filter(({ name }) => !name.endsWith(".dsc"))
    .map(({ name, sizeBytes, sha256 }) => `${sha256} ${sizeBytes} ${name}`);
  for (const [name, value] of stanza.paragraph) {
    if (name === "package") fields.push(["Source", value]);
    else if (name === "checksums-sha256") fields.push(["Checksums-Sha256", ["", ...sums].join("\n")]);
    else if (!ofTheIndexOnly.has(name)) fields.push([name, value]);
  }
  return formatParagraph([...fields, ["Files", files.join("\n")]]);
}
