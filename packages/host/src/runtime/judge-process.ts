import type { FileDigest } from "../host-tree.ts";
import type { JitPolicy } from "./jit-policy.ts";
import type { KnownPrograms } from "./known-programs.ts";
import type { RunningCode, RunningProcess } from "./read-process.ts";
import type { RuntimeFinding } from "./runtime-class.ts";

/** One finding, of one process. */
export type Judged = Omit<RuntimeFinding, "pids">;

export type Judging = { readonly known: Pick<KnownPrograms, "find" | "unknownAt">; readonly jit: JitPolicy };

/** What everything that a process runs is found to be. */
export function judgeProcess(process: RunningProcess, judging: Judging): Judged[] {
  const program = process.code.find(({ file }) => file?.inode === process.program);
  const isAllowed = mayMakeCode(program, judging);
  const findings = process.code.flatMap((code) => judgeCode(code, process, { ...judging, isAllowed }));
  if (program === undefined)
    findings.push({ class: "program-replaced", path: process.name, reason: "no executable memory is of the program that it says it runs" });
  if (process.writtenText !== undefined) findings.push({ class: process.writtenText, path: program?.path ?? process.name });
  if (process.isTraced) findings.push({ class: "traced", path: program?.path ?? process.name });
  if (process.script !== undefined) {
    const { path, digest } = process.script;
    findings.push({ path, ...judgeBytes({ path, digest, isDeleted: false }, process, judging) });
  }
  return findings;
}

/** @param isAllowed whether the process may make code in memory */
function judgeCode(code: RunningCode, process: RunningProcess, { isAllowed, ...judging }: Judging & { isAllowed: boolean }): Judged[] {
  const { path, file, isDeleted, isWritable } = code;
  if (file === undefined || isInMemory(code)) {
    if (isAllowed) return [{ class: "generated-code", path }];
    return [{ class: file === undefined ? "anonymous-code" : "memory-file", path }];
  }
  const judged = { path, ...judgeBytes({ path, digest: file.digest, isDeleted }, process, judging) };
  return isWritable && !isAllowed ? [judged, { class: "writable-code", path }] : [judged];
}

/** As the kernel names files that are in no file system: memfd_create(2), shared memory. */
function isInMemory({ path }: RunningCode): boolean {
  return path.startsWith("/memfd:") || path.startsWith("/SYSV") || path === "/dev/zero";
}

type Bytes = { readonly path: string; readonly digest: FileDigest; readonly isDeleted: boolean };

function judgeBytes({ path, digest, isDeleted }: Bytes, { isOwnRoot, preloads }: RunningProcess, { known }: Judging): Omit<Judged, "path"> {
  if (digest.kind === "unreadable") return { class: "unreadable", reason: digest.reason };
  if (digest.kind === "changed") return { class: "changed-while-read" };
  const file = known.find(digest.sha256);
  if (file !== undefined) {
    const { artifact, installedVersion } = file;
    const isCurrent = artifact.version === installedVersion;
    if (isCurrent) return { class: "verified", package: artifact.package };
    const reason = `runs version ${artifact.version}, and ${installedVersion} is installed: start it again`;
    return { class: "stale-verified", package: artifact.package, reason };
  }
  const bytes = `SHA-256 ${digest.sha256}`;
  if (preloads.has(path.slice(path.lastIndexOf("/") + 1))) return { class: "preloaded", reason: `the environment has it loaded; ${bytes}` };
  if (!isOwnRoot) return { class: "unverified", reason: `of another root; ${bytes}` };
  if (isDeleted) return { class: "deleted", reason: bytes };
  const { reason, ...place } = known.unknownAt(path);
  return { ...place, reason: reason === undefined ? bytes : `${reason}; ${bytes}` };
}

/** By the bytes of the program itself, which must be verified: what it calls itself says nothing. */
function mayMakeCode(program: RunningCode | undefined, { known, jit }: Judging): boolean {
  const digest = program?.file?.digest;
  if (digest?.kind !== "hashed") return false;
  const file = known.find(digest.sha256);
  return file !== undefined && (jit.digests.has(digest.sha256) || jit.packages.has(file.artifact.package));
}
