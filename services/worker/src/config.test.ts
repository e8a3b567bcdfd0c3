import { expect, test } from "vitest";
import { parseWorkerConfig } from "./config.ts";

const env = {
  OPERATOR_DIR: "/etc/quorate/operator",
  WORKER_DATA_DIR: "/var/lib/quorate",
  PACKAGE_CACHE_DIR: "/var/cache/quorate",
  ARCHIVES_FILE: "/etc/quorate/archives.json",
};

test("four variables are enough", () => {
  const { worker: config, debian } = parseWorkerConfig(env);
  expect(debian).toEqual({ packageCacheDirectory: "/var/cache/quorate", archivesFile: "/etc/quorate/archives.json" });
  expect(config).toMatchObject({ workerName: "worker", tags: [], once: false, limits: { timeoutSeconds: 14_400 } });
  expect(config.parallel).toBeGreaterThanOrEqual(1);
});

test("tags are words with commas between", () => {
  expect(parseWorkerConfig({ ...env, WORKER_TAGS: "solar,ecc-memory" }).worker.tags).toEqual(["solar", "ecc-memory"]);
  expect(() => parseWorkerConfig({ ...env, WORKER_TAGS: "Two words" })).toThrow(/WORKER_TAGS must be a word/);
});

test("an error names every variable that is wrong", () => {
  const wrong = { ...env, OPERATOR_DIR: undefined, WORKER_ONCE: "yes", BUILD_PROCESSES: "1" };
  expect(() => parseWorkerConfig(wrong)).toThrow(/OPERATOR_DIR is not set.*WORKER_ONCE.*BUILD_PROCESSES/);
});
