import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNoteKey } from "@quorate/signing/note-key";
import { formatVkey } from "@quorate/tlog/note";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadWitnessConfig } from "./config.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-witness-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("reads the environment and the files that it names", async () => {
  const log = createNoteKey(join(directory, "log"), "log.example", "ed25519");
  const witness = createNoteKey(join(directory, "witness"), "witness.example", "cosignature");
  await writeFile(join(directory, "logs"), `log ${formatVkey(log.key)}\n`);
  const env = {
    WITNESS_DATA_DIR: "/data",
    WITNESS_KEY_FILE: join(directory, "witness"),
    WITNESS_PORT: "0",
    WITNESS_LOGS_FILE: join(directory, "logs"),
  };
  const config = await loadWitnessConfig(env);
  expect(config).toMatchObject({ dataDirectory: "/data", host: "127.0.0.1", port: 0 });
  expect(config.signer.key).toEqual(witness.key);
  expect(config.logs.get("log.example")).toEqual([log.key]);
  await expect(loadWitnessConfig({ ...env, WITNESS_LOGS_FILE: "" })).rejects.toThrow("WITNESS_LOGS_FILE is not set (file with one line");
});
