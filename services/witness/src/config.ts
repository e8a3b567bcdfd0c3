import { readFile } from "node:fs/promises";
import { hostSchema, parseConfig, pathSchema, portSchema } from "@quorate/service/config";
import type { Environment } from "@quorate/service/config";
import { loadNoteKey } from "@quorate/signing/note-key";
import type { NoteSigner } from "@quorate/tlog/note";
import { z } from "zod";
import { parseKnownLogs } from "./known-logs.ts";
import type { KnownLogs } from "./known-logs.ts";

export type WitnessConfig = {
  readonly dataDirectory: string;
  readonly signer: NoteSigner;
  readonly host: string;
  readonly port: number;
  readonly logs: KnownLogs;
};

const schema = z.object({
  WITNESS_DATA_DIR: pathSchema.describe("directory of the witness's record of checkpoints; never restore it from a backup"),
  WITNESS_KEY_FILE: pathSchema.describe("file with the Ed25519 cosignature key of this witness"),
  WITNESS_HOST: hostSchema.default("127.0.0.1").describe("address to listen on"),
  WITNESS_PORT: portSchema.describe("port to listen on, 0 for a free one"),
  WITNESS_LOGS_FILE: pathSchema.describe("file with one line `log <vkey>` for each log to witness"),
});

/** @throws ConfigError, or ParseError for a key or logs file that is not one */
export async function loadWitnessConfig(env: Environment): Promise<WitnessConfig> {
  const parsed = parseConfig(schema, env);
  return {
    dataDirectory: parsed.WITNESS_DATA_DIR,
    signer: loadNoteKey(parsed.WITNESS_KEY_FILE),
    host: parsed.WITNESS_HOST,
    port: parsed.WITNESS_PORT,
    logs: parseKnownLogs(await readFile(parsed.WITNESS_LOGS_FILE, "utf8")),
  };
}
