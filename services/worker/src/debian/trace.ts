import { type TraceFile, maxTraceFiles, maxTraceBytes } from "@quorate/attestation/build-trace";
import { compareByBytes, decodePath, escapePath } from "@quorate/attestation/path-text";
import type { Sha256 } from "@quorate/protocol/digest";
import { hashTreeFile, walkFiles } from "./sandbox-tree.ts";

/** The digests of all files of a tree: of the source as unpacked. */
export async function hashTree(directory: string): Promise<Set<Sha256>> {
  const digests = new Set<Sha256>();
  for await (const { fullPath } of walkFiles(Buffer.from(directory))) digests.add((await hashTreeFile(fullPath)).sha256);
  return digests;
}

/** A Python byte code file begins with the time of its source file, which every unpacking sets anew (PEP 552). */
const holdsTime = /\.pyc$/;

/**
 * The build trace: the files of the build tree whose bytes are neither in the source nor in an artifact. Those that anyone can copy from
 * the published package prove nothing about a build; these do. Files whose format holds a time are left out: no two builds share them.
 */
export async function traceTree(directory: string, known: readonly ReadonlySet<Sha256>[]): Promise<TraceFile[]> {
  const files: TraceFile[] = [];
  for await (const { path, fullPath } of walkFiles(Buffer.from(directory))) {
    if (holdsTime.test(path.toString("latin1"))) continue;
    const { sizeBytes, sha256 } = await hashTreeFile(fullPath);
    if (!known.some((digests) => digests.has(sha256))) files.push({ path: decodePath(path), sizeBytes, sha256 });
  }
  return withinBounds(files);
}

const lineOverhead = 64 + 1 + 16 + 1 + 1;

/** Of a trace that is too large for its format, the first files by path: what every honest builder keeps as well. */
export function withinBounds(files: TraceFile[]): TraceFile[] {
  files.sort((a, b) => compareByBytes(a.path, b.path));
  let length = 0;
  const beyond = files.findIndex(({ path }) => (length += lineOverhead + escapePath(path).length) > maxTraceBytes);
  return files.slice(0, Math.min(maxTraceFiles, beyond === -1 ? files.length : beyond));
}
