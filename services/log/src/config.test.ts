import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createNoteKey } from "@quorate/signing/note-key";
import { formatVkey } from "@quorate/tlog/note";
import { expect, test } from "vitest";
import { loadLogConfig } from "./config.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";

test("reads the environment and the files that it names", async () => {
  await using scratch = await scratchDirectory();
  const keyFile = join(scratch.path, "key");
  const policyFile = join(scratch.path, "policy");
  const signer = createNoteKey(keyFile, "log.example", "ed25519");
  await writeFile(policyFile, `log ${formatVkey(signer.key)}\nquorum none\n`);
  const env = {
    LOG_DATA_DIR: "/data",
    LOG_KEY_FILE: keyFile,
    LOG_PORT: "8080",
    LOG_TOKEN: "0123456789abcdef",
    LOG_POLICY_FILE: policyFile,
  };
  const config = await loadLogConfig(env);
  expect(config).toMatchObject({
    stores: { kind: "directory", path: "/data" },
    host: "127.0.0.1",
    port: 8080,
    batchMilliseconds: 100,
    policy: { quorum: "none" },
  });
  expect(config.signer.key).toEqual(signer.key);
  await expect(loadLogConfig({ ...env, LOG_TOKEN: "short" })).rejects.toThrow("LOG_TOKEN must be 16 to 512 printable ASCII characters");
});
