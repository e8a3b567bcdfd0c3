import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fullTileBytes } from "@quorate/tlog/tile";
import { ApiError, ConnectionError, request } from "./http.ts";

/** Where a log's files come from: `checkpoint` and `tile/…`. A missing file is `undefined`. */
export type LogSource = (path: string, options: { maxBytes: number; signal?: AbortSignal | undefined }) => Promise<Uint8Array | undefined>;

/** The log at an `http:`, `https:` or `file:` URL. */
export function logSourceOf(url: string): LogSource {
  const base = url.replace(/\/+$/, "");
  return base.startsWith("file:") ? directorySource(fileURLToPath(base)) : httpSource(base);
}

/**
 * Which widths of a tile a directory holds, given the path of the full tile; `undefined` for a log over HTTP, which lists nothing.
 */
export function partialWidthsOf(url: string): ((fullPath: string) => Promise<number[]>) | undefined {
  if (!url.startsWith("file:")) return undefined;
  const directory = fileURLToPath(url);
  return async (fullPath) => {
    const names = await readdir(join(directory, `${fullPath}.p`)).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    });
    return names.filter((name) => /^[1-9][0-9]{0,2}$/.test(name)).map(Number);
  };
}

function httpSource(base: string): LogSource {
  return async (path, { maxBytes, signal }) => {
    try {
      return (await request({ doing: `reading ${path} of the log`, url: `${base}/${path}`, maxBytes, signal })).bytes;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  };
}

function directorySource(directory: string): LogSource {
  return async (path, { maxBytes, signal }) => {
    const file = join(directory, path);
    try {
      const { size } = await stat(file);
      if (size > maxBytes) throw new ConnectionError(`reading ${file}`, `it is larger than ${maxBytes} bytes`);
      const { buffer, byteOffset, byteLength } = await readFile(file, { signal });
      return new Uint8Array(buffer, byteOffset, byteLength);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      if (error instanceof ConnectionError || signal?.aborted) throw error;
      throw new ConnectionError(`reading ${file}`, error instanceof Error ? error.message : String(error), { cause: error });
    }
  };
}

/** Entries have at most 65,535 bytes and a length of two. */
export const maxBundleBytes = 256 * (65_535 + 2);
export const maxTileBytes = fullTileBytes;
