import { readFileSync, readlinkSync, statSync } from "node:fs";
import { decodePath } from "@quorate/attestation/path-text";
import { digestOf } from "../file-hasher.ts";
import { hashFile } from "../hash-file.ts";
import type { FileDigest } from "../host-tree.ts";
import type { Locator } from "../locator.ts";
import type { MappedFile, MappedFiles } from "./mapped-files.ts";
import { type CodeMapping, mappingName, parseCodeMappings } from "./process-maps.ts";
import { parseProcessStat } from "./process-stat.ts";
import { parseTracerPid } from "./process-status.ts";
import { preloadsOf, scriptOf } from "./start-of-process.ts";
import { type WrittenText, findWrittenText } from "./written-text.ts";

/** Executable memory of one file, or of none. */
export type RunningCode = { readonly path: string; readonly isDeleted: boolean; readonly isWritable: boolean; readonly file?: MappedFile };

/** What a process runs, as far as the kernel says. */
export type RunningProcess = {
  readonly name: string;
  /** Device and inode of the program. */
  readonly program: string;
  readonly code: readonly RunningCode[];
  readonly script?: { readonly path: string; readonly digest: FileDigest };
  /** Whether paths mean the same to it as to the sweep: in a container they do not. */
  readonly isOwnRoot: boolean;
  readonly isTraced: boolean;
  /** Names of libraries that its environment has every program load. */
  readonly preloads: ReadonlySet<string>;
  /** Absent when its pages are the file's, or were not looked at this time. */
  readonly writtenText?: WrittenText;
};

export type ProcessAnswer =
  | { readonly kind: "running"; readonly process: RunningProcess }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** It is the kernel's own, or has ended. */
  | { readonly kind: "nothing" };

export type ProcessReading = {
  /** Where the file system of the processes is seen: its `proc` says which there are. */
  readonly root: string;
  readonly locator: Locator;
  readonly files: MappedFiles;
  /** Whether the pages of its text are looked at too. */
  readonly looksAtText: boolean;
};

/** One that ends or loads something meanwhile is looked at again. */
const attempts = 3;

/** Looks at one process. What it says of itself (its arguments, its environment) is a hint, and no more. */
export function readProcess(pid: number, reading: ProcessReading): ProcessAnswer {
  const proc = `${reading.root}/proc/${pid}`;
  let reason = "";
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    try {
      const { name, isKernelThread, isZombie } = parseProcessStat(readText(`${proc}/stat`));
      const mappings = isKernelThread || isZombie ? [] : parseCodeMappings(readText(`${proc}/maps`));
      // The memory of one that is ending is given back before it is a zombie.
      if (mappings.length === 0) return { kind: "nothing" };
      return { kind: "running", process: { name, ...readRunning(proc, mappings, reading) } };
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      reason = error.message;
      if (error.code !== "ENOENT" && error.code !== "ESRCH") break;
    }
  }
  return statSync(proc, { throwIfNoEntry: false }) === undefined ? { kind: "nothing" } : { kind: "unreadable", reason };
}

function readRunning(
  proc: string,
  mappings: readonly CodeMapping[],
  { root, locator, files, looksAtText }: ProcessReading,
): Omit<RunningProcess, "name"> {
  const isOwnRoot = inodeOf(`${proc}/root/`) === inodeOf(`${root}/`);
  const place = (path: string): string => (isOwnRoot ? `${root}/${locator.follow(path.slice(1)) ?? ""}` : `${proc}/root${path}`);
  const ownPath = pathsBelow(readlinkSync(`${proc}/root`));
  const script = scriptOf(readlinkSync(`${proc}/exe`), readText(`${proc}/cmdline`), () => ownPath(readlinkSync(`${proc}/cwd`)));
  const scriptPlace = script === undefined ? undefined : place(script);
  const isScript = scriptPlace !== undefined && statSync(scriptPlace, { throwIfNoEntry: false })?.isFile() === true;
  const writtenText = looksAtText
    ? findWrittenText(
        proc,
        mappings.filter(({ file }) => file !== undefined),
      )
    : undefined;
  return {
    program: inodeOf(`${proc}/exe`),
    code: mappings.map((mapping) => runningCode(proc, { ...mapping, path: ownPath(mapping.path) }, files)),
    ...(script !== undefined && isScript ? { script: { path: script, digest: digestOf(hashFile(scriptPlace)) } } : {}),
    isOwnRoot,
    isTraced: parseTracerPid(readText(`${proc}/status`)) !== 0,
    preloads: preloadsOf(readText(`${proc}/environ`), locator),
    ...(writtenText === undefined ? {} : { writtenText }),
  };
}

/** Hashes what is mapped and not what is at its path by now: the kernel leads to it even when no path does. */
function runningCode(proc: string, mapping: CodeMapping, files: MappedFiles): RunningCode {
  const { path, isDeleted, isWritable, file: key } = mapping;
  if (key === undefined) return { path, isDeleted, isWritable };
  return { path, isDeleted, isWritable, file: files.open(key, `${proc}/map_files/${mappingName(mapping)}`) };
}

/** Paths as the process has them: in /proc they are as whoever reads them has them, as far as it can reach them. */
function pathsBelow(root: string): (path: string) => string {
  return (path) => (root !== "/" && path.startsWith(`${root}/`) ? path.slice(root.length) : path);
}

function inodeOf(place: string): string {
  const { dev, ino } = statSync(place, { bigint: true });
  return `${dev}:${ino}`;
}

/** Files of /proc have no size: they are read to their end. */
function readText(path: string): string {
  return decodePath(readFileSync(path));
}
