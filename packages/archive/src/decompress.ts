import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { ArchiveError } from "./archive-error.ts";

/** How indices are compressed, best first; the empty suffix is the text itself. */
export const compressions = [".xz", ".gz", ""] as const;
export type Compression = (typeof compressions)[number];

/**
 * The text of a compressed index, streamed, at most `maxBytes` of it (a small file may unpack to a huge one).
 *
 * @throws ArchiveError "malformed" when it does not decompress, "too-large" beyond the bound
 */
export async function* decompress(path: string, compression: Compression, maxBytes: number): AsyncIterable<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of compression === ".xz" ? unxz(path) : compression === ".gz" ? gunzip(path) : createReadStream(path)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new ArchiveError("too-large", `decompressing ${path}: more than the ${maxBytes} bytes expected`);
    yield chunk;
  }
}

async function* gunzip(path: string): AsyncIterable<Uint8Array> {
  try {
    yield* createReadStream(path).pipe(createGunzip());
  } catch (cause) {
    throw new ArchiveError("malformed", `decompressing ${path}: ${String(cause)}`, { cause });
  }
}

async function* unxz(path: string): AsyncIterable<Uint8Array> {
  const child = spawn("xz", ["--decompress", "--stdout", "--memlimit-decompress=512MiB", "--", path], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  // Awaited below, after the output; until then a failed start must not count as unhandled.
  ended.catch(() => undefined);
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = `${complaint}${text}`.slice(0, 500)));
  try {
    yield* child.stdout;
    const [code] = await ended;
    if (code !== 0) throw new ArchiveError("malformed", `decompressing ${path}: xz: ${complaint.trim() || `exit status ${code}`}`);
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause;
    throw new ArchiveError("malformed", `decompressing ${path}: running xz: ${String(cause)}; is xz-utils installed?`, { cause });
  } finally {
    child.kill("SIGKILL");
  }
}
