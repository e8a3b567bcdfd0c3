import type { Sha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import type { BuiltResult } from "@quorate/protocol/result";
import { utf8 } from "@quorate/protocol/utf8";
import { boundedText } from "@quorate/tlog/bounded-text";
import { parseDecimal } from "@quorate/tlog/decimal";
import { sha256FromHash } from "@quorate/tlog/hash";
import { type Hasher, leafHash, rootOf } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { compareByBytes, escapePath, unescapePath } from "./path-text.ts";

/** A file that a build made on its way; `path` is relative to the build tree, as `decodePath` gives it. */
export type TraceFile = { readonly path: string; readonly sizeBytes: number; readonly sha256: Sha256 };

/** How much text a build trace may have, and how many files. */
export const maxTraceBytes = 33_554_432;
export const maxTraceFiles = 200_000;

/**
 * A build trace: one line a file, sorted by the bytes of the path as written.
 *
 *     9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 4 src/main.o
 *
 * @throws ParseError when two files have one path, or there are too many
 */
export function formatTrace(files: readonly TraceFile[]): string {
  return traceLines(files).join("");
}

/**
 * The inverse of `formatTrace`: a trace has one spelling.
 *
 * @throws ParseError
 */
export function parseTrace(trace: Uint8Array | string): TraceFile[] {
  const text = boundedText("build trace", trace, maxTraceBytes);
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new ParseError("build trace (each line ends in a newline)", text.slice(-200));
  const lines = text.slice(0, -1).split("\n");
  if (lines.length > maxTraceFiles) throw new ParseError(`build trace of at most ${maxTraceFiles} files`, `${lines.length} files`);
  let previous: string | undefined;
  return lines.map((line) => {
    const [, sha256, size, path] = /^([0-9a-f]{64}) ([0-9]+) ([^ ]+)$/.exec(line) ?? [];
    if (sha256 === undefined || size === undefined || path === undefined) throw new ParseError("line of a build trace", line);
    if (previous !== undefined && compareByBytes(previous, path) >= 0) throw new ParseError("build trace sorted by path", line);
    previous = path;
    return { path: unescapePath(path), sizeBytes: parseDecimal("size in a build trace", size), sha256: sha256 as Sha256 };
  });
}

/** The root of the Merkle tree (RFC 6962 §2.1) whose leaves are the trace's lines, newline included, and their number. */
export function traceSummaryOf(files: readonly TraceFile[], hasher: Hasher = portableHasher): BuiltResult["trace"] {
  return summaryOfLines(traceLines(files).map(utf8), hasher);
}

/** The summary of a trace's bytes, which `parseTrace` has read. */
export function traceSummaryOfBytes(trace: Uint8Array, hasher: Hasher = portableHasher): BuiltResult["trace"] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < trace.length;) {
    const end = trace.indexOf(newline, start) + 1 || trace.length;
    lines.push(trace.subarray(start, end));
    start = end;
  }
  return summaryOfLines(lines, hasher);
}

const newline = 0x0a;

function summaryOfLines(lines: readonly Uint8Array[], hasher: Hasher): BuiltResult["trace"] {
  const leaves = lines.map((line) => leafHash(line, hasher));
  return { rootSha256: sha256FromHash(rootOf(leaves, hasher)), files: lines.length };
}

/** Of the files that both traces list: how many there are, and how many of those have equal digests. */
export function compareTraces(a: readonly TraceFile[], b: readonly TraceFile[]): { common: number; equal: number } {
  if (a === b) return { common: a.length, equal: a.length };
  const digests = new Map(a.map(({ path, sha256 }) => [path, sha256]));
  const common = b.filter(({ path }) => digests.has(path));
  return { common: common.length, equal: common.filter(({ path, sha256 }) => digests.get(path) === sha256).length };
}

function traceLines(files: readonly TraceFile[]): string[] {
  if (files.length > maxTraceFiles) throw new ParseError(`build trace of at most ${maxTraceFiles} files`, `${files.length} files`);
  const written = files.map(({ path, sizeBytes, sha256 }) => ({ path: escapePath(path), sizeBytes, sha256 }));
  written.sort((left, right) => compareByBytes(left.path, right.path));
  return written.map(({ path, sizeBytes, sha256 }, position) => {
    if (path === "" || path === written[position - 1]?.path) throw new ParseError("build trace whose paths are distinct", path);
    return `${sha256} ${sizeBytes} ${path}\n`;
  });
}
