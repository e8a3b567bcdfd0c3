import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogConfig } from "@quorate/log/config";
import { startLog } from "@quorate/log/start";
import { silentLogger } from "@quorate/service/logger";
import { createNoteKey, verifyNoteSignature } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { parseEntryBundle } from "@quorate/tlog/entry-bundle";
import { equalHashes } from "@quorate/tlog/hash";
import { MerkleFrontier } from "@quorate/tlog/merkle";
import { formatVkey, noteKeyOf } from "@quorate/tlog/note";
import { newEntryBundles, tilePath } from "@quorate/tlog/tile";
import { parseTlogPolicy, verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { startWitness } from "@quorate/witness/start";
import { z } from "zod";
import { CuttableLink } from "./cuttable-link.ts";

export type RunningWitness = AsyncDisposable & {
  readonly name: string;
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
};

type ConstellationShape = {
  readonly witnesses: number;
  readonly quorum: number;
  readonly stores?: LogConfig["stores"] | undefined;
  /** The log's name, where a witness wants one that says its key. */
  readonly originOf?: (publicKey: Uint8Array) => string;
};

const dataDirectoryIn = (directory: string) => join(directory, "log");

/** A log's configuration and witnesses in a directory of their own, for tests of the two services together. */
export class LogConstellation implements AsyncDisposable {
  readonly directory: string;
  /** Where the log is kept, unless other stores were given. */
  readonly dataDirectory: string;
  readonly config: LogConfig;
  readonly policy: WitnessPolicy;
  readonly policyText: string;
  readonly witnesses: readonly RunningWitness[];
  readonly failures: unknown[] = [];

  private constructor(directory: string, parts: { config: LogConfig; policyText: string; witnesses: readonly RunningWitness[] }) {
    this.directory = directory;
    this.dataDirectory = dataDirectoryIn(directory);
    this.config = parts.config;
    this.policy = parts.config.policy;
    this.policyText = parts.policyText;
    this.witnesses = parts.witnesses;
  }

  /** Starts the witnesses; the log is started with `startLog`, or as a process. */
  static async start({ witnesses: count, quorum, stores, originOf }: ConstellationShape): Promise<LogConstellation> {
    const directory = await mkdtemp(join(tmpdir(), "quorate-log-"));
    const stored = createNoteKey(join(directory, "log.key"), "log.example/test", "ed25519");
    const { key, sign } = stored;
    const signer = originOf === undefined ? stored : { key: noteKeyOf({ ...key, name: originOf(key.publicKey) }), sign };
    const witnesses: RunningWitness[] = [];
    const lines = [`log ${formatVkey(signer.key)}`];
    for (let number = 1; number <= count; number += 1) {
      const { witness, vkey } = await runWitness(directory, `w${number}`, new Map([[signer.key.name, [signer.key]]]));
      witnesses.push(witness);
      lines.push(`witness w${number} ${vkey} ${witness.url}`);
    }
    if (count > 0) lines.push(`group witnesses ${quorum} ${witnesses.map(({ name }) => name).join(" ")}`);
    const policyText = `${[...lines, `quorum ${count > 0 ? "witnesses" : "none"}`].join("\n")}\n`;
    const config: LogConfig = {
      stores: stores ?? { kind: "directory", path: dataDirectoryIn(directory) },
      signer,
      host: "127.0.0.1",
      port: 0,
      token: "a-token-of-the-tests",
      policy: parseTlogPolicy(policyText),
      batchMilliseconds: 100,
      witnessMilliseconds: 5_000,
    };
    return new LogConstellation(directory, { config, policyText, witnesses });
  }

  startLog(overrides: Partial<LogConfig> = {}, now: () => number = Date.now): ReturnType<typeof startLog> {
    return startLog({ ...this.config, ...overrides }, { logger: silentLogger, now, fail: (error) => void this.failures.push(error) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.witnesses.map((witness) => witness[Symbol.asyncDispose]()));
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function runWitness(directory: string, name: string, logs: Map<string, LogConfig["signer"]["key"][]>) {
  const signer = createNoteKey(join(directory, `${name}.key`), `witness.example/${name}`, "cosignature");
  const start = () =>
    startWitness({ dataDirectory: join(directory, name), signer, host: "127.0.0.1", port: 0, logs }, { logger: silentLogger });
  // While a witness is stopped somebody else may get its port: its address is the link's.
  const link = await CuttableLink.open();
  let running: Awaited<ReturnType<typeof start>> | undefined;
  const witness: RunningWitness = {
    name,
    url: link.url,
    async stop() {
      link.cut();
      await running?.[Symbol.asyncDispose]();
      running = undefined;
    },
    async start() {
      running ??= await start();
      link.lead(running.url);
    },
    async [Symbol.asyncDispose]() {
      await witness.stop();
      await link[Symbol.asyncDispose]();
    },
  };
  await witness.start();
  return { witness, vkey: formatVkey(signer.key) };
}

const answerSchema = z.object({
  status: z.int(),
  type: z.string().optional(),
  index: z.int().optional(),
  duplicate: z.boolean().optional(),
  leafHash: z.string().optional(),
  checkpoint: z.string().optional(),
});

/** `POST /add` with the test's token; a log answers within its own deadlines, or not at all. */
export async function append(url: string, key: string, bytes: Uint8Array, wait: "sequenced" | "published" = "published") {
  const response = await fetch(`${url}/add?wait=${wait}`, {
    method: "POST",
    headers: { authorization: "Bearer a-token-of-the-tests", "idempotency-key": key, "content-type": "application/octet-stream" },
    body: Buffer.from(bytes),
    signal: AbortSignal.timeout(30_000),
  });
  return answerSchema.parse({ status: response.status, ...Object(await response.json()) });
}

/** The published checkpoint, verified under the policy; undefined when the log serves none. */
export async function publishedCheckpoint(url: string, policy: WitnessPolicy): Promise<Checkpoint | undefined> {
  const response = await fetch(`${url}/checkpoint`);
  if (response.status === 503) return undefined;
  return verifyCosignedCheckpoint(await response.text(), policy, verifyNoteSignature).checkpoint;
}

/** Every entry of a checkpoint's tree, from the bundles that the log serves; they must have the checkpoint's root. */
export async function allEntries(url: string, { size, root }: Checkpoint): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = [];
  const frontier = MerkleFrontier.empty(nodeHasher);
  for (const tile of newEntryBundles(0, size)) {
    const response = await fetch(`${url}/${tilePath(tile)}`);
    if (response.status !== 200) throw new Error(`${tilePath(tile)}: ${response.status}`);
    for (const entry of parseEntryBundle(new Uint8Array(await response.arrayBuffer()))) {
      entries.push(entry);
      frontier.append(nodeHasher.leaf(entry));
    }
  }
  if (frontier.size !== size || !equalHashes(frontier.root(), root))
    throw new Error(`the entries do not make the checkpoint's tree of ${size}`);
  return entries;
}

/** Runs `act` for 0 … count-1, at most `lanes` at a time. */
export async function inLanes(count: number, lanes: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
