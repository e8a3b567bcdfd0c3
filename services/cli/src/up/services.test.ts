import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostEnvironment } from "./host-environment.ts";
import { layoutOf } from "./layout.ts";
import { openKeys } from "./network-keys.ts";
import { coordinatorChild } from "./services.ts";
import { newSettings } from "./settings.ts";

let directory = "";
beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), "quorate-services-"))));
afterAll(() => rm(directory, { recursive: true, force: true }));

test("a coordinator believes certificates of keyless operators if there is a trusted_root.json, and none otherwise", async () => {
  const layout = layoutOf(directory);

  const settings = await newSettings({ port: undefined, operators: 1 });
  const keys = await openKeys(layout, settings);
  const urls = { database: "postgres://localhost/q", redis: "/redis", nats: "nats://localhost" };
  const options = { layout, settings, keys, host: hostEnvironment({}), urls, listen: undefined, workerEnvironment: {} };
  expect(coordinatorChild(options).environment["SIGSTORE_TRUSTED_ROOT_FILE"]).toBeUndefined();
  await writeFile(join(directory, "trusted_root.json"), "{}");
  expect(coordinatorChild(options).environment["SIGSTORE_TRUSTED_ROOT_FILE"]).toBe(join(directory, "trusted_root.json"));
});
