import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createNoteKey } from "@quorate/signing/note-key";
import { type NoteAlgorithm, formatVkey } from "@quorate/tlog/note";
import { expect, test } from "vitest";
import { loadLogConfig } from "./config.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";

/** A key, a policy, and the variables that name them; the stores are left out. */
async function environmentIn(scratch: { path: string }) {
  const keyFile = join(scratch.path, "key");
  const policyFile = join(scratch.path, "policy");
  const signer = createNoteKey(keyFile, "log.example", "ed25519");
  await writeFile(policyFile, `log ${formatVkey(signer.key)}\nquorum none\n`);
  const env = { LOG_KEY_FILE: keyFile, LOG_PORT: "8080", LOG_TOKEN: "0123456789abcdef", LOG_POLICY_FILE: policyFile };
  return { signer, env };
}

test("reads the environment and the files that it names", async () => {
  await using scratch = await scratchDirectory();
  const { signer, env: withoutStores } = await environmentIn(scratch);
  const env = { ...withoutStores, LOG_DATA_DIR: "/data" };
  const config = await loadLogConfig(env);
  expect(config).toMatchObject({
    stores: { kind: "directory", path: "/data" },
    host: "127.0.0.1",
    port: 8080,
    batchMilliseconds: 100,
    witnessMilliseconds: 5_000,
    policy: { quorum: "none" },
  });
  expect(config.signer.key).toEqual(signer.key);
  await expect(loadLogConfig({ ...env, LOG_TOKEN: "short" })).rejects.toThrow("LOG_TOKEN must be 16 to 512 printable ASCII characters");
});

const cluster = { LOG_DATABASE_URL: "postgres://log@db/log", LOG_S3_URL: "https://s3.example.org", LOG_S3_BUCKET: "log" };

test("reads where a cluster keeps its log", async () => {
  await using scratch = await scratchDirectory();
  const { env } = await environmentIn(scratch);
  const withKey = { ...env, ...cluster, LOG_S3_ACCESS_KEY_ID: "id", LOG_S3_SECRET_ACCESS_KEY: "secret", LOG_S3_REGION: "eu-1" };
  const s3 = {
    url: "https://s3.example.org",
    bucket: "log",
    region: "eu-1",
    credentials: { accessKeyId: "id", secretAccessKey: "secret" },
  };
  expect((await loadLogConfig(withKey)).stores).toEqual({ kind: "cluster", databaseUrl: "postgres://log@db/log", s3 });
  expect((await loadLogConfig({ ...env, ...cluster })).stores).toMatchObject({ s3: { region: "us-east-1", credentials: undefined } });
});

test.each([
  ["no stores", {}, "set either LOG_DATA_DIR, or all of LOG_DATABASE_URL, LOG_S3_URL and LOG_S3_BUCKET"],
  ["both kinds", { ...cluster, LOG_DATA_DIR: "/data" }, "set either LOG_DATA_DIR, or all of"],
  ["a directory and a bucket", { LOG_DATA_DIR: "/data", LOG_S3_BUCKET: "log" }, "set either LOG_DATA_DIR, or all of"],
  ["no bucket", { ...cluster, LOG_S3_BUCKET: undefined }, "set either LOG_DATA_DIR, or all of"],
  ["a database that is no PostgreSQL", { ...cluster, LOG_DATABASE_URL: "mysql://log@db/log" }, "LOG_DATABASE_URL must be"],
  ["a store that is no URL", { ...cluster, LOG_S3_URL: "s3.example.org" }, "LOG_S3_URL"],
  ["a key without its secret", { ...cluster, LOG_S3_ACCESS_KEY_ID: "id" }, "set both LOG_S3_ACCESS_KEY_ID and LOG_S3_SECRET_ACCESS_KEY"],
])("refuses %s, and says what to set", async (_what, stores: Record<string, string | undefined>, message) => {
  await using scratch = await scratchDirectory();
  const { env } = await environmentIn(scratch);
  await expect(loadLogConfig({ ...env, ...stores })).rejects.toThrow(message);
});

test("reads a second key of the log's name, and refuses another", async () => {
  await using scratch = await scratchDirectory();
  const { env } = await environmentIn(scratch);
  const keyFile = (file: string, name: string, algorithm: NoteAlgorithm) => {
    const path = join(scratch.path, file);
    return { path, signer: createNoteKey(path, name, algorithm) };
  };
  const second = keyFile("second", "log.example", "ml-dsa-44");
  const load = (more: Record<string, string>) => loadLogConfig({ ...env, LOG_DATA_DIR: "/data", ...more });
  expect((await load({ LOG_ML_DSA_KEY_FILE: second.path })).mlDsaSigner?.key).toEqual(second.signer.key);
  expect((await load({})).mlDsaSigner).toBeUndefined();
  const ofAnother = keyFile("other", "other.example", "ml-dsa-44").path;
  await expect(load({ LOG_ML_DSA_KEY_FILE: ofAnother })).rejects.toThrow("must name an ML-DSA-44 key of the log's name log.example");
  await expect(load({ LOG_ML_DSA_KEY_FILE: env.LOG_KEY_FILE })).rejects.toThrow("has an ed25519 key of log.example");
  await expect(load({ LOG_KEY_FILE: second.path })).rejects.toThrow("LOG_KEY_FILE must name an Ed25519 log key");
});
