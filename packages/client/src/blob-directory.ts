import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import type { Sha256 } from "@quorate/protocol/digest";
import { ConnectionError } from "./http.ts";

const maxBlobBytes = 256 * 2 ** 20;

/** Where a directory of blobs has one: zstd files `ab/cdef….zst`, named by the SHA-256 of their content. */
export function blobFilePath(directory: string, sha256: Sha256): string {
  return join(directory, sha256.slice(0, 2), `${sha256.slice(2)}.zst`);
}

/**
 * A blob from the directory where a coordinator or a snapshot keeps them: a network's evidence is readable without the network. `undefined`
 * when it is not there.
 *
 * @throws ConnectionError when the file does not have the digest
 */
export async function loadBlobFile(directory: string, sha256: Sha256): Promise<Uint8Array | undefined> {
  const path = blobFilePath(directory, sha256);
  const compressed = readIfThere(path);
  if (compressed === undefined) return undefined;
  const bytes = new Uint8Array(zstdDecompressSync(compressed, { maxOutputLength: maxBlobBytes }));
  const actual = hash("sha256", bytes);
  if (actual !== sha256) throw new ConnectionError(`reading ${path}`, `digest differs: its content has ${actual}`);
  return bytes;
}

/** At once: most blobs that are read so are small, one for each round of a log, and waiting for another thread takes longer. */
function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
