import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogConfig } from "@quorate/log/config";
import { startLog } from "@quorate/log/start";
import { utf8 } from "@quorate/protocol/utf8";
import { silentLogger } from "@quorate/service/logger";
import { createNoteKey, loadNoteKey } from "@quorate/signing/note-key";
import { formatVkey } from "@quorate/tlog/note";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { startWitness } from "@quorate/witness/start";
import { append, inLanes } from "../integration/log-constellation.ts";
import { startFaulted } from "./service-process.ts";

/** What a log is before it is started on the faulty disk. */
export const logScenarios = ["new", "filling a tile", "recovering"] as const;
export type LogScenario = (typeof logScenarios)[number];

/** One short of a full tile, so that what is appended next makes full tiles and drops partial ones. */
const entriesBefore = 253;
const entriesToRecover = 6;

/** A log and its one witness in a directory: `disk/log`, `witness`, and the keys. */
export type LogDirectory = AsyncDisposable & { readonly path: string };

export const textOf = (key: string) => `the entry of ${key}`;

/** Makes the directories that runs begin with, once. */
export async function prepareLogs(): Promise<AsyncDisposable & { copy(scenario: LogScenario): Promise<LogDirectory> }> {
  const path = await mkdtemp(join(tmpdir(), "quorate-faults-"));
  const directoryOf = (scenario: LogScenario) => join(path, scenario);
  for (const scenario of logScenarios) await prepareLog(directoryOf(scenario), scenario);
  let copies = 0;
  return {
    async copy(scenario) {
      copies += 1;
      const own = join(path, `copy-${copies}`);
      await cp(directoryOf(scenario), own, { recursive: true });
      return { path: own, [Symbol.asyncDispose]: () => rm(own, { recursive: true, force: true }) };
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

async function prepareLog(path: string, scenario: LogScenario): Promise<void> {
  await mkdir(join(path, "disk"), { recursive: true });
  createNoteKey(join(path, "log.key"), "log.example/test", "ed25519");
  createNoteKey(join(path, "witness.key"), "witness.example/test", "cosignature");
  if (scenario === "new") return;
  await using running = await startWitnessed(path);
  {
    await using log = await running.startLog();
    await inLanes(entriesBefore, entriesBefore, async (number) => {
      await append(log.url, keyBefore(number), utf8(textOf(keyBefore(number))), "published");
    });
  }
  if (scenario === "filling a tile") return;
  // Batches on both sides of the full tile that nothing but the journal has for certain.
  const process = await startFaulted("log", { plan: { directory: join(path, "disk"), report: join(path, "report") }, env: running.env });
  if (process.url === undefined) throw new Error("the log to recover did not start");
  for (let number = entriesBefore; number < entriesBefore + entriesToRecover; number += 1) {
    await append(process.url, keyBefore(number), utf8(textOf(keyBefore(number))), number % 2 === 0 ? "published" : "sequenced");
  }
  await process.kill();
}

const keyBefore = (number: number) => `before/${number}`;

/** The keys of the entries that are there already. */
export function keysOf(scenario: LogScenario): string[] {
  const count = { new: 0, "filling a tile": entriesBefore, recovering: entriesBefore + entriesToRecover }[scenario];
  return Array.from({ length: count }, (_, number) => keyBefore(number));
}

/** Starts the witness of a directory; the log is started beside it, in this process or as one of its own. */
export async function startWitnessed(path: string) {
  const signer = loadNoteKey(join(path, "log.key"));
  const witnessSigner = loadNoteKey(join(path, "witness.key"));
  const witness = await startWitness(
    {
      dataDirectory: join(path, "witness"),
      signer: witnessSigner,
      host: "127.0.0.1",
      port: 0,
      logs: new Map([[signer.key.name, [signer.key]]]),
    },
    { logger: silentLogger },
  );
  const policyText = `log ${formatVkey(signer.key)}\nwitness w ${formatVkey(witnessSigner.key)} ${witness.url}\nquorum w\n`;
  await writeFile(join(path, "policy"), policyText);
  const failures: unknown[] = [];
  const dataDirectory = join(path, "disk/log");
  const config: LogConfig = {
    stores: { kind: "directory", path: dataDirectory },
    signer,
    host: "127.0.0.1",
    port: 0,
    token: "a-token-of-the-tests",
    policy: parseTlogPolicy(policyText),
    batchMilliseconds: 0,
    witnessMilliseconds: 5_000,
  };
  const env = {
    LOG_DATA_DIR: dataDirectory,
    LOG_KEY_FILE: join(path, "log.key"),
    LOG_PORT: "0",
    LOG_TOKEN: config.token,
    LOG_POLICY_FILE: join(path, "policy"),
    LOG_BATCH_MILLISECONDS: "0",
  };
  return {
    env,
    config,
    dataDirectory,
    failures,
    startLog: () => startLog(config, { logger: silentLogger, fail: (error) => void failures.push(error) }),
    [Symbol.asyncDispose]: () => witness[Symbol.asyncDispose](),
  };
}
