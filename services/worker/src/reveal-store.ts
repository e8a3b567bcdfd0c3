import { jobIdSchema, maxReportedEnvelopeBytes } from "@quorate/protocol/job";
import { sha256Schema } from "@quorate/protocol/digest";
import { syncDirectory, writeDurableFile } from "@quorate/service/durable-file";
import { mkdir, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const storedResultSchema = z.strictObject({
  job: jobIdSchema,
  round: sha256Schema,
  /** The newest fence with which a commitment was sent. */
  fence: z.int().min(1),
  /** SHA-256 of the envelope. */
  digest: sha256Schema,
  /** The signed result, as it will be revealed. */
  envelope: z.string().max(maxReportedEnvelopeBytes),
});
export type StoredResult = z.infer<typeof storedResultSchema>;

/** Signed results on disk: `unrevealed/<job>.json`, then `revealed/<job>.json`. Whoever has committed must be able to reveal. */
export type RevealStore = {
  find(job: string): Promise<StoredResult | undefined>;
  /** Durable when it resolves. */
  save(result: StoredResult): Promise<void>;
  isRevealed(job: string): Promise<boolean>;
  /** How many results have not been asked for. */
  countUnrevealed(): Promise<number>;
  /** It stays for a while, so that it can be revealed again when the report was lost. */
  markRevealed(job: string): Promise<void>;
};

const day = 24 * 3600 * 1000;
const keepMilliseconds = { unrevealed: 90 * day, revealed: 7 * day };

/** Opens the store and deletes what nobody will ask for any more. */
export async function openRevealStore(dataDirectory: string, now: () => number = Date.now): Promise<RevealStore> {
  const directories = { unrevealed: join(dataDirectory, "unrevealed"), revealed: join(dataDirectory, "revealed") };
  for (const state of ["unrevealed", "revealed"] as const) {
    await mkdir(directories[state], { recursive: true, mode: 0o700 });
    await deleteOlder(directories[state], now() - keepMilliseconds[state]);
  }
  const pathOf = (state: keyof typeof directories, job: string): string => join(directories[state], `${jobIdSchema.parse(job)}.json`);
  return {
    find: async (job) => (await load(pathOf("unrevealed", job))) ?? (await load(pathOf("revealed", job))),
    save: async (result) => {
      const path = pathOf((await load(pathOf("revealed", result.job))) ? "revealed" : "unrevealed", result.job);
      await writeDurableFile(path, `${JSON.stringify(result)}\n`, { mode: 0o600 });
    },
    isRevealed: async (job) => (await load(pathOf("revealed", job))) !== undefined,
    countUnrevealed: async () => (await readdir(directories.unrevealed)).filter((name) => name.endsWith(".json")).length,
    markRevealed: async (job) => {
      try {
        await rename(pathOf("unrevealed", job), pathOf("revealed", job));
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
      await syncDirectory(directories.revealed);
    },
  };
}

async function load(path: string): Promise<StoredResult | undefined> {
  try {
    return storedResultSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new Error(`reading the stored result ${path} failed; restore it from a backup, or delete it to build again`, { cause });
  }
}

async function deleteOlder(directory: string, than: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if ((await stat(path)).mtimeMs < than) await unlink(path);
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";
