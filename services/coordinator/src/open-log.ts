import { readFile } from "node:fs/promises";
import { createLogReader } from "@quorate/client/log-reader";
import { createLogWriter } from "@quorate/client/log-writer";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { loadP256Key } from "@quorate/signing/p256-key";
import { parseVkey } from "@quorate/tlog/note";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import type { BlobStore } from "./blob-store.ts";
import type { CoordinatorConfig } from "./config.ts";
import type { Database } from "./database.ts";
import { createNetworkLog } from "./network-log.ts";
import { ensurePolicyLogged, loadPolicyRules } from "./network-policy.ts";

export type OpenLog = Awaited<ReturnType<typeof openLog>>;

/** The log as the network writes and reads it, with a policy in it. */
export async function openLog(config: CoordinatorConfig, { db, blobs }: { db: Database; blobs: BlobStore }) {
  const networkKey = loadP256Key(config.NETWORK_KEY_FILE);
  const witnessPolicyText = await readFile(config.WITNESS_POLICY_FILE, "utf8");
  const witnessPolicy = parseTlogPolicy(witnessPolicyText);
  const logKey = parseVkey(config.LOG_KEY);
  const reader = createLogReader({ url: config.LOG_URL, signedBy: { keys: [logKey], verify: verifyNoteSignature }, hasher: nodeHasher });
  const writer = createLogWriter({ url: config.LOG_URL, token: config.LOG_TOKEN });
  const log = createNetworkLog({ writer, reader, blobs, witnessPolicy, networkKey });
  await ensurePolicyLogged({ db, log, networkKey }, await loadPolicyRules(config.POLICY_FILE));
  const identity = {
    logKey: config.LOG_KEY,
    logUrl: config.LOG_PUBLIC_URL ?? config.LOG_URL,
    networkKey: Buffer.from(networkKey.spki).toString("base64"),
    witnessPolicy: witnessPolicyText,
  };
  return { log, reader, logKey, witnessPolicy, networkKey, identity };
}
