import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Sha256 } from "@quorate/protocol/digest";
import { ArchiveError, type ArchiveErrorCode } from "./archive-error.ts";

export type FetchLimits = {
  /** For all attempts together. */
  deadlineSeconds?: number;
  attempts?: number;
  /** Before the second attempt; doubles for each further one. */
  retryMilliseconds?: number;
  signal?: AbortSignal | undefined;
};

/** What a server said about a version of a file, to ask later whether it changed. */
export type Validators = { readonly etag?: string | undefined; readonly lastModified?: string | undefined };

export type FetchedBytes =
  { readonly kind: "fetched"; readonly bytes: Uint8Array; readonly validators: Validators } | { readonly kind: "not-modified" };

type Bound = { maxBytes: number; code: ArchiveErrorCode };
type Opened = { kind: "opened"; chunks: AsyncIterable<Uint8Array>; validators: Validators } | { kind: "not-modified" };

/**
 * A file of an archive, whole, in memory. `known` makes the request conditional.
 *
 * @throws ArchiveError "not-found", "too-large" beyond `maxBytes`, or "unreachable" after the last attempt or the deadline
 */
export async function fetchBytes(
  url: string,
  options: FetchLimits & { maxBytes: number; known?: Validators | undefined },
): Promise<FetchedBytes> {
  return await attempt(url, options, async (signal) => {
    const opened = await openUrl(url, signal, options.known);
    if (opened.kind === "not-modified") return opened;
    const chunks: Uint8Array[] = [];
    for await (const chunk of bounded(url, opened.chunks, { maxBytes: options.maxBytes, code: "too-large" })) chunks.push(chunk);
    return { kind: "fetched", bytes: Buffer.concat(chunks), validators: opened.validators };
  });
}

/**
 * Streams a file of an archive to `path`, checking its size and digest; `path` appears only when both are right, and durably.
 *
 * @throws ArchiveError "not-found", "digest-differs", or "unreachable"
 */
export async function fetchToFile(
  url: string,
  options: FetchLimits & { path: string; expected: { sha256: Sha256; sizeBytes: number } },
): Promise<void> {
  await attempt(url, options, async (signal) => {
    const opened = await openUrl(url, signal, undefined);
    if (opened.kind === "not-modified") throw new ArchiveError("unreachable", `fetching ${url}: not modified, unasked`);
    const chunks = bounded(url, opened.chunks, { maxBytes: options.expected.sizeBytes, code: "digest-differs" });
    await writeVerified(chunks, { ...options, what: `fetching ${url}` });
  });
}

/**
 * Writes chunks to `path` by way of a temporary file beside it.
 *
 * @throws ArchiveError "digest-differs" when size or digest are not the expected ones
 */
export async function writeVerified(
  chunks: AsyncIterable<Uint8Array>,
  { path, expected, what }: { path: string; expected: { sha256: Sha256; sizeBytes: number }; what: string },
): Promise<void> {
  const part = `${path}.part-${randomBytes(6).toString("hex")}`;
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    await using file = await open(part, "wx", 0o644);
    for await (const chunk of chunks) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      await file.writeFile(chunk);
    }
    const digest = hash.digest("hex");
    if (sizeBytes !== expected.sizeBytes || digest !== expected.sha256) {
      throw new ArchiveError(
        "digest-differs",
        `${what}: digest differs: expected ${expected.sha256} (${expected.sizeBytes} bytes), got ${digest} (${sizeBytes} bytes)`,
      );
    }
    await file.sync();
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function attempt<T>(url: string, limits: FetchLimits, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { deadlineSeconds = 300, attempts = 3, retryMilliseconds = 500 } = limits;
  const deadline = AbortSignal.timeout(deadlineSeconds * 1000);
  const signal = limits.signal === undefined ? deadline : AbortSignal.any([deadline, limits.signal]);
  for (let count = 1; ; count++) {
    try {
      return await run(signal);
    } catch (error) {
      limits.signal?.throwIfAborted();
      // This machine's disk is in the way, not the archive.
      if (isStorageTrouble(error)) throw error;
      // What the server answered clearly, and what was full of the wrong bytes, another attempt would not mend.
      if (error instanceof ArchiveError && error.code !== "unreachable") throw error;
      if (deadline.aborted) throw unreachable(url, `no complete answer within ${deadlineSeconds} s`, error);
      if (count >= attempts) throw unreachable(url, `${reasonOf(error)}, after ${count} attempts`, error);
      await delay(retryMilliseconds * 2 ** (count - 1), undefined, { signal }).catch(() => undefined);
    }
  }
}

function isStorageTrouble(error: unknown): boolean {
  return error instanceof Error && "code" in error && ["ENOSPC", "EDQUOT", "EROFS"].includes(String(error.code));
}

function unreachable(url: string, reason: string, cause: unknown): ArchiveError {
  return new ArchiveError("unreachable", `fetching ${url}: ${reason}`, { cause });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** At most `maxBytes`; more is "too-large", or just other bytes than expected where the size was known. */
async function* bounded(url: string, chunks: AsyncIterable<Uint8Array>, { maxBytes, code }: Bound): AsyncIterable<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new ArchiveError(code, `fetching ${url}: more than the ${maxBytes} bytes expected`);
    yield chunk;
  }
}

async function openUrl(url: string, signal: AbortSignal, known: Validators | undefined): Promise<Opened> {
  // A percent sign in a pool file's name (an encoded epoch) is part of the name.
  const target = url.replaceAll("%", "%25");
  return target.startsWith("file:") ? await openFile(target, signal, known) : await openHttp(target, signal, known);
}

async function openFile(url: string, signal: AbortSignal, known: Validators | undefined): Promise<Opened> {
  const path = fileURLToPath(url);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new ArchiveError("not-found", `fetching ${url}: no such file`);
  const lastModified = `${found.mtimeMs} ${found.size} ${found.ino}`;
  if (known?.lastModified === lastModified) return { kind: "not-modified" };
  return { kind: "opened", chunks: createReadStream(path, { signal }), validators: { lastModified } };
}

async function openHttp(url: string, signal: AbortSignal, known: Validators | undefined): Promise<Opened> {
  // No transfer compression: digests and sizes are of the file as the archive lists it.
  const headers = new Headers({ "accept-encoding": "identity", "user-agent": "quorate" });
  if (known?.etag !== undefined) headers.set("if-none-match", known.etag);
  else if (known?.lastModified !== undefined) headers.set("if-modified-since", known.lastModified);
  const response = await fetch(url, { headers, signal });
  if (response.status === 304 && known !== undefined) return { kind: "not-modified" };
  if (response.status === 200 && response.body !== null) {
    const validators = {
      etag: response.headers.get("etag") ?? undefined,
      lastModified: response.headers.get("last-modified") ?? undefined,
    };
    return { kind: "opened", chunks: response.body, validators };
  }
  await response.body?.cancel();
  const message = `fetching ${url}: the server answered ${response.status}`;
  // 4xx except "too many requests" and "timeout" is the server's last word.
  const final = response.status >= 400 && response.status < 500 && response.status !== 429 && response.status !== 408;
  throw new ArchiveError(final ? "not-found" : "unreachable", message);
}
