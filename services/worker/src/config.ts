import { groupsSchema, type Groups } from "@quorate/protocol/operator";
import { hostnameSchema, lineSchema } from "@quorate/protocol/names";
import { type Environment, httpUrlSchema, parseConfig, pathSchema, tokenSchema, wholeNumber } from "@quorate/service/config";
import { availableParallelism } from "node:os";
import { z } from "zod";
import type { BuildLimits } from "./executor.ts";

export type WorkerConfig = {
  coordinatorUrl: string;
  /** Secret: lets an operator enrol. */
  invitationToken: string;
  /** PEM of the operator's identity key; made when missing. */
  operatorKeyFile: string;
  linkKeyFile: string;
  operatorName: string;
  hostname?: string | undefined;
  groups: Groups;
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

const groupsTextSchema = z.string().transform((text, context): Groups => {
  try {
    return groupsSchema.parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: "custom", message: 'must be JSON such as {"organisation":"example.org","country":"DE"}' });
    return z.NEVER;
  }
});

const environmentSchema = z.object({
  COORDINATOR_URL: httpUrlSchema.describe("base URL of the network's coordinator"),
  INVITATION_TOKEN: tokenSchema.describe("the invitation that the network's operator gave you"),
  OPERATOR_KEY_FILE: pathSchema.describe("file of the operator's identity key, made when missing; keep a backup"),
  OPERATOR_LINK_KEY_FILE: pathSchema.describe("file of the operator's key for in-toto links, made when missing; keep a backup"),
  OPERATOR_NAME: lineSchema(80).describe("name of this operator, as everyone sees it"),
  OPERATOR_HOSTNAME: hostnameSchema.optional().describe("under which the network answers for this operator alone"),
  OPERATOR_GROUPS: groupsTextSchema.prefault("{}").describe("what the operator belongs to, as JSON"),
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
    coordinatorUrl: parsed.COORDINATOR_URL,
    invitationToken: parsed.INVITATION_TOKEN,
    operatorKeyFile: parsed.OPERATOR_KEY_FILE,
    linkKeyFile: parsed.OPERATOR_LINK_KEY_FILE,
    operatorName: parsed.OPERATOR_NAME,
    hostname: parsed.OPERATOR_HOSTNAME,
    groups: parsed.OPERATOR_GROUPS,
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
