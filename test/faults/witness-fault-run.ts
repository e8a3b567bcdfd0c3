import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@quorate/service/logger";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { createNoteKey } from "@quorate/signing/note-key";
import { formatCheckpoint } from "@quorate/tlog/checkpoint";
import { consistencyProof, rootOf } from "@quorate/tlog/merkle";
import { formatVkey, signNote } from "@quorate/tlog/note";
import type { NoteSigner } from "@quorate/tlog/note";
import { formatAddCheckpoint } from "@quorate/tlog/witness-request";
import { startWitness } from "@quorate/witness/start";
import type { FaultPlan } from "./fault-plan.ts";
import type { FaultRun } from "./log-fault-run.ts";
import { loseUnflushed } from "./lose-unflushed.ts";
import { startFaulted } from "./service-process.ts";

const origin = "log.example/test";
const leaves = Array.from({ length: 20 }, (_, index) => nodeHasher.leaf(Uint8Array.of(index)));
const otherLeaves = leaves.toReversed();
const sizes = [0, 3, 5, 5, 9, 13];

/** A new witness runs on a disk that fails at `point`, then starts again on one that does not. */
export async function runWitnessFault({ point, chance }: { point: FaultPlan["point"]; chance: () => number }): Promise<FaultRun> {
  const path = await mkdtemp(join(tmpdir(), "quorate-faults-"));
  try {
    const disk = join(path, "disk");
    await mkdir(disk);
    const keys = {
      log: createNoteKey(join(path, "log.key"), origin, "ed25519"),
      witness: createNoteKey(join(path, "witness.key"), "witness.example/test", "cosignature"),
    };
    await writeFile(join(path, "logs"), `log ${formatVkey(keys.log.key)}\n`);
    const env = {
      WITNESS_DATA_DIR: join(disk, "witness"),
      WITNESS_KEY_FILE: join(path, "witness.key"),
      WITNESS_PORT: "0",
      WITNESS_LOGS_FILE: join(path, "logs"),
    };
    const witness = await startFaulted("witness", { plan: { directory: disk, report: join(path, "report"), point }, env });
    const cosigned = witness.url === undefined ? 0 : await cosignAll(witness.url, keys.log);
    const { report, output, hung } = await witness.stop();
    if (report.flushed !== undefined && report.metAt !== undefined) {
      loseUnflushed(disk, report, point?.fault === "power-lost" ? undefined : chance);
    }
    const broken = await brokenPromises(env.WITNESS_DATA_DIR, { keys, cosigned });
    return { report, output, broken: hung ? [...broken, "the process did not end when it was told to"] : broken };
  } finally {
    await rm(path, { recursive: true });
  }
}

/** Asks for one cosignature after the other, until there is no answer; returns the size of the last that came. */
async function cosignAll(url: string, log: NoteSigner): Promise<number> {
  let cosigned = 0;
  for (const size of sizes) {
    const status = await add(url, { oldSize: cosigned, size, log }).then(
      (response) => response.status,
      () => undefined,
    );
    if (status === 200) cosigned = size;
  }
  return cosigned;
}

/** A witness that starts again knows what it cosigned last, or more; cosigns no fork of it; and goes on. */
async function brokenPromises(
  dataDirectory: string,
  { keys, cosigned }: { keys: { log: NoteSigner; witness: NoteSigner }; cosigned: number },
): Promise<string[]> {
  const { log } = keys;
  try {
    const logs = new Map([[origin, [log.key]]]);
    await using witness = await startWitness(
      { dataDirectory, signer: keys.witness, host: "127.0.0.1", port: 0, logs },
      { logger: silentLogger },
    );
    const asked = await add(witness.url, { oldSize: 20, size: 20, log });
    const stored = asked.status === 409 ? Number(await asked.text()) : 20;
    if (stored < cosigned) return [`it cosigned size ${cosigned}, and knows ${stored}`];
    const fork = await add(witness.url, { oldSize: stored, size: 19, log, of: otherLeaves });
    if (stored > 0 && fork.status !== 422) return [`it answered ${fork.status} to a fork after ${stored}`];
    const next = await add(witness.url, { oldSize: stored, size: 20, log });
    return next.status === 200 || stored === 0 ? [] : [`it answered ${next.status} to the next checkpoint after ${stored}`];
  } catch (error) {
    return [`it does not start again, or answer: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
  }
}

type Request = { readonly oldSize: number; readonly size: number; readonly log: NoteSigner; readonly of?: typeof leaves };

function add(url: string, { oldSize, size, log, of = leaves }: Request): Promise<Response> {
  const noteText = signNote(formatCheckpoint({ origin, size, root: rootOf(of.slice(0, size), nodeHasher) }), [log]);
  const read = ({ level, index }: { level: number; index: number }) =>
    rootOf(of.slice(index * 2 ** level, (index + 1) * 2 ** level), nodeHasher);
  const proof = oldSize === 0 || oldSize === size ? [] : consistencyProof(oldSize, size, read, nodeHasher);
  return fetch(`${url}/add-checkpoint`, {
    method: "POST",
    body: formatAddCheckpoint({ oldSize, proof, noteText }),
    signal: AbortSignal.timeout(30_000),
  });
}
