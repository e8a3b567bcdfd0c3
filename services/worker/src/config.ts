import { lineSchema } from "@quorate/protocol/names";
import { capabilitiesSchema } from "@quorate/protocol/worker";
import { type Environment, parseConfig, pathSchema, wholeNumber } from "@quorate/service/config";
import { availableParallelism } from "node:os";
import { z } from "zod";
import type { BuildLimits } from "./executor.ts";

export type WorkerConfig = {
  /** Keys and profile of the operator, and the network that it has joined. */
  operatorDirectory: string;
  passphraseFile: string | undefined;
  workerName: string;
  tags: string[];
  /** Ends after one job, once its result is revealed. */
  once: boolean;
  dataDirectory: string;
  /** CPUs of one build. */
  parallel: number;
  limits: BuildLimits;
};

/** What the Debian executor needs besides. */
export type DebianConfig = {
  /** Package files by digest; workers of one machine may share it. */
  packageCacheDirectory: string;
  /** JSON: the archives, and the keyrings that their signatures are checked with. */
  archivesFile: string;
};

const environmentSchema = z.object({
  OPERATOR_DIR: pathSchema.describe("directory of the operator: what `quorate operator init` and `enrol` made"),
  OPERATOR_PASSPHRASE_FILE: pathSchema.optional().describe("file whose first line is the passphrase of the operator's keys"),
  WORKER_NAME: lineSchema(80).prefault("worker").describe("name of this worker among the operator's, as everyone sees it"),
  WORKER_TAGS: z
    .string()
    .prefault("")
    .transform((text) => text.split(",").filter((tag) => tag !== ""))
    .pipe(capabilitiesSchema.shape.tags)
    .describe("words that describe this worker, with commas between"),
  WORKER_ONCE: z.enum(["", "1"]).prefault("").describe("1: end after one job"),
  WORKER_DATA_DIR: pathSchema.describe("directory of the worker's state: results that are not revealed yet, and builds"),
  PACKAGE_CACHE_DIR: pathSchema.describe("directory of downloaded package files; workers of one machine may share it"),
  ARCHIVES_FILE: pathSchema.describe("JSON: the archives that packages come from, with their keyrings"),
  WORKER_PARALLEL: wholeNumber(1, 1024).prefault(String(availableParallelism())).describe("CPUs of one build"),
  // What a large C++ package needs; a build that wants more fails with the reason timeout or out-of-resources.
  BUILD_TIMEOUT_SECONDS: wholeNumber(1, 604_800).prefault("14400").describe("longest time of one build"),
  BUILD_MEMORY_MIB: wholeNumber(64, 16_777_216).prefault("4096").describe("memory of one build"),
  BUILD_DISK_MIB: wholeNumber(64, 67_108_864).prefault("16384").describe("disk space of one build"),
  BUILD_PROCESSES: wholeNumber(16, 4_194_304).prefault("2048").describe("processes and threads of one build"),
});

/** @throws ConfigError that names every variable that is wrong */
export function parseWorkerConfig(env: Environment): { worker: WorkerConfig; debian: DebianConfig } {
  const parsed = parseConfig(environmentSchema, env);
  const worker: WorkerConfig = {
    operatorDirectory: parsed.OPERATOR_DIR,
    passphraseFile: parsed.OPERATOR_PASSPHRASE_FILE,
    workerName: parsed.WORKER_NAME,
    tags: parsed.WORKER_TAGS,
    once: parsed.WORKER_ONCE === "1",
    dataDirectory: parsed.WORKER_DATA_DIR,
    parallel: parsed.WORKER_PARALLEL,
    limits: {
      timeoutSeconds: parsed.BUILD_TIMEOUT_SECONDS,
      memoryMib: parsed.BUILD_MEMORY_MIB,
      diskMib: parsed.BUILD_DISK_MIB,
      processes: parsed.BUILD_PROCESSES,
    },
  };
  const debian: DebianConfig = { packageCacheDirectory: parsed.PACKAGE_CACHE_DIR, archivesFile: parsed.ARCHIVES_FILE };
  return { worker, debian };
}
