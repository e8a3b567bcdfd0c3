import type { Severity } from "../file-class.ts";

/** What the code that a process runs is found to be, and how much that matters. */
export const runtimeClasses = {
  /** Bytes that the quorum rebuilt. */
  verified: "expected",
  /** A script that is a conffile, and was edited. */
  "locally-configured": "expected",
  /** Memory that a program makes code in, and whose verified bytes the policy allows to. */
  "generated-code": "expected",
  /** The quorum rebuilt these bytes, and there is another version by now: the process has to be started again. */
  "stale-verified": "drift",
  /** Of a package that nobody has reproduced, or of a container whose packages are not known here. */
  unverified: "drift",
  /** In no package, and in a place that packages leave to the administrator. */
  "local-program": "drift",
  /** A debugger is attached, which may write to all of it. */
  traced: "drift",
  /** Text was written to, and is again what the file has. */
  "text-was-modified": "drift",
  /** Other bytes than the manifest has in this place. */
  modified: "tampering",
  /** In no package, and in a place that only packages, or anybody, may write to. */
  unowned: "tampering",
  /** The file is there no more, and the quorum has never rebuilt these bytes. */
  deleted: "tampering",
  /** A file that was only ever in memory. */
  "memory-file": "tampering",
  /** Loaded because the environment says so, and not verified. */
  preloaded: "tampering",
  /** Executable memory of no file. */
  "anonymous-code": "tampering",
  /** Memory of a file that is writable and executable at once. */
  "writable-code": "tampering",
  /** Executable pages that differ from the file that they are of. */
  "text-modified": "tampering",
  /** No executable memory is of the program that the process says it runs. */
  "program-replaced": "tampering",
  /** Something is mounted over what the kernel says of the process. */
  hidden: "tampering",
  unreadable: "unseen",
  "changed-while-read": "unseen",
} as const satisfies Record<string, Severity>;

export type RuntimeClass = keyof typeof runtimeClasses;

/** One thing that was found, in each of the processes that it was found in. */
export type RuntimeFinding = {
  readonly class: RuntimeClass;
  /** Of a file as the process sees it, or what memory it is. */
  readonly path: string;
  readonly pids: readonly number[];
  readonly package?: string;
  readonly reason?: string;
};

/** Findings with one key say the same, of whichever processes. */
export function findingKeyOf({ class: found, path, reason = "" }: Omit<RuntimeFinding, "pids">): string {
  return JSON.stringify([found, path, reason]);
}

/** What no look at processes can show: said in every report. */
export const unseenAtRuntime = [
  "the kernel and firmware: a sweep sees what the kernel that runs says of processes",
  "data: a verified program does what its input, its configuration and a script's logic tell it to, and what an exploit does with its own code",
  "code that an interpreter read from a pipe, its arguments or the network",
  "what began and ended between two looks",
];
