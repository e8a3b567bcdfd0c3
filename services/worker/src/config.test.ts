import { expect, test } from "vitest";
import { parseWorkerConfig } from "./config.ts";

const env = {
  COORDINATOR_URL: "https://quorate.example/",
  INVITATION_TOKEN: "an-invitation-token",
  OPERATOR_KEY_FILE: "/etc/quorate/operator.pem",
  OPERATOR_LINK_KEY_FILE: "/etc/quorate/operator-link.pem",
  OPERATOR_NAME: "Ada's rebuilder",
  WORKER_DATA_DIR: "/var/lib/quorate",
  PACKAGE_CACHE_DIR: "/var/cache/quorate",
  ARCHIVES_FILE: "/etc/quorate/archives.json",
};

test("seven variables are enough", () => {
  const { worker: config, debian } = parseWorkerConfig(env);
  expect(debian).toEqual({ packageCacheDirectory: "/var/cache/quorate", archivesFile: "/etc/quorate/archives.json" });
  expect(config).toMatchObject({ coordinatorUrl: "https://quorate.example", groups: {}, limits: { timeoutSeconds: 14_400 } });
  expect(config.parallel).toBeGreaterThanOrEqual(1);
});

test("groups are JSON with known names", () => {
  expect(parseWorkerConfig({ ...env, OPERATOR_GROUPS: '{"country":"SE"}' }).worker.groups).toEqual({ country: "SE" });
  for (const groups of ["SE", "{", '{"country":"Sweden"}', '{"planet":"Mars"}'])
    expect(() => parseWorkerConfig({ ...env, OPERATOR_GROUPS: groups })).toThrow(/OPERATOR_GROUPS must be JSON such as/);
});

test("an error names every variable that is wrong, and shows no secret", () => {
  const wrong = { ...env, COORDINATOR_URL: undefined, INVITATION_TOKEN: "geheim", BUILD_PROCESSES: "1" };
  expect(() => parseWorkerConfig(wrong)).toThrow(/COORDINATOR_URL is not set.*INVITATION_TOKEN.*BUILD_PROCESSES/);
  expect(() => parseWorkerConfig(wrong)).not.toThrow(/geheim/);
});
