import type { TraceFile } from "@quorate/attestation/build-trace";
import type { Sha256 } from "@quorate/protocol/digest";
import type { EnvironmentLock } from "@quorate/protocol/environment-lock";
import type { Failure } from "@quorate/protocol/result";
import type { Target } from "@quorate/protocol/target";

/** What one build may take. */
export type BuildLimits = {
  /** Wall-clock time of the unpacking and building of one source. */
  timeoutSeconds: number;
  /** Memory of the build's processes *and* of its files: the build tree is kept in memory. */
  memoryMib: number;
  /** Size of the build tree and of everything else that the build writes. */
  diskMib: number;
  /** Processes and threads at one time. */
  processes: number;
};

export type BuildRequest = {
  target: Target;
  /** An existing directory of this job alone; everything that the outcome names lies in it. */
  workDirectory: string;
  /** CPUs that the build may use. */
  parallel: number;
  limits: BuildLimits;
  /** InRelease files and uncompressed indices by digest, from the coordinator. */
  fetchBlob(sha256: Sha256, signal: AbortSignal): Promise<Uint8Array>;
};

export type BuildProgress = { phase: "fetching" | "environment" | "building"; activity?: string; logLines?: string[] };
export type BuildReporter = (progress: BuildProgress) => void;

/** A file in the job's work directory, hashed while it was written. */
export type LocalFile = { name: string; path: string; sizeBytes: number; sha256: Sha256 };

/** What built: versions of kernel, dpkg and executor, and the name of the sandbox's profile. */
export type Builder = { builderVersion: Record<string, string>; sandboxProfile: string };

/** A file that in-toto links name, which takes a second digest: SHA-512, hexadecimal. */
export type LinkedLocalFile = LocalFile & { sha512: string };

export type Built = Builder & {
  kind: "built";
  /** Every binary package file that came out, sorted by name. */
  artifacts: LinkedLocalFile[];
  /** The source files that went in, as verified, sorted by name. A `.dsc` that no mirror has is made anew and is left out here. */
  sources: { name: string; sha256: Sha256 }[];
  trace: TraceFile[];
  buildLog: LocalFile;
  buildinfo?: LinkedLocalFile;
  lock: EnvironmentLock;
  /** One per artifact: its file name and the manifest's canonical text. */
  manifests: { file: string; text: string }[];
};

export type BuildFailed = Builder & { kind: "failed"; failure: Failure; buildLog?: LocalFile; lock?: EnvironmentLock };

export type BuildOutcome = Built | BuildFailed;

/** Builds the targets of one ecosystem. */
export interface Executor {
  /** Resolves with an outcome for everything that can go wrong with a build; rejects only when `signal` aborts. */
  build(request: BuildRequest, report: BuildReporter, signal: AbortSignal): Promise<BuildOutcome>;
}
