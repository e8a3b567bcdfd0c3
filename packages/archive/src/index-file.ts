import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { indexPackagesBySource } from "@quorate/debian/packages";
import type { ParagraphIndex } from "@quorate/debian/paragraph-index";
import { indexSources } from "@quorate/debian/sources";
import type { Sha256 } from "@quorate/protocol/digest";
import { ArchiveError } from "./archive-error.ts";

/** A file of the archive whose bytes were verified and that is kept locally, by its digest. */
export type StoredFile = { readonly sha256: Sha256; readonly sizeBytes: number; readonly file: string };

/** An index's uncompressed text: where the stanzas of each name stand is held in memory, their text is read from the file when asked for. */
export type IndexFile = {
  /** As InRelease lists it, such as `main/source/Sources`. */
  readonly path: string;
  readonly stored: StoredFile;
  names(): Iterable<string>;
  stanzas(name: string): Promise<string[]>;
};

/**
 * Opens a stored index, after a check of its digest. Unless `index` says otherwise, stanzas are found by the name of their source, in
 * Packages too.
 *
 * @throws ArchiveError "digest-differs" when the stored bytes are not what they were, "malformed" when they are no index
 */
export async function openIndexFile(
  path: string,
  stored: StoredFile,
  index: (bytes: Uint8Array) => ParagraphIndex = path.endsWith("/Sources") ? indexSources : indexPackagesBySource,
): Promise<IndexFile> {
  const bytes = await readFile(stored.file);
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (digest !== stored.sha256) throw new ArchiveError("digest-differs", `reading ${path} from ${stored.file}: digest differs: ${digest}`);
  const spans = indexOf(path, bytes, index);
  return {
    path,
    stored,
    names: () => spans.keys(),
    stanzas: async (name) => await readSpans(stored.file, spans.get(name) ?? []),
  };
}

function indexOf(path: string, bytes: Uint8Array, index: (bytes: Uint8Array) => ParagraphIndex): ParagraphIndex {
  try {
    return index(bytes);
  } catch (cause) {
    throw new ArchiveError("malformed", `reading ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

async function readSpans(path: string, spans: readonly number[]): Promise<string[]> {
  if (spans.length === 0) return [];
  await using file = await open(path, "r");
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const stanzas: string[] = [];
  for (let i = 0; i < spans.length; i += 2) {
    const [start = 0, end = 0] = [spans[i], spans[i + 1]];
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(end - start), position: start });
    if (bytesRead !== end - start) throw new ArchiveError("digest-differs", `reading ${path}: it became shorter since it was verified`);
    stanzas.push(decoder.decode(buffer));
  }
  return stanzas;
}
