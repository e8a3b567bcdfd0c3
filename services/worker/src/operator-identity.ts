import { createUserKey, loadUserKey, type NatsUserKey } from "@quorate/bus/user-credentials";
import { writeDurableFile } from "@quorate/service/durable-file";
import { createLinkKey, type LinkSigner, loadLinkKey } from "@quorate/signing/link-key";
import { createP256Key, loadP256Key, type P256Signer } from "@quorate/signing/p256-key";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkerEvents } from "./events.ts";

/** The operator's identity key from its file; a new one when there is none. */
export function openOperatorKey(path: string, events: WorkerEvents): P256Signer {
  if (existsSync(path)) return loadP256Key(path);
  const signer = createP256Key(path);
  events.operatorKeyCreated(signer.operator, path);
  return signer;
}

/** The operator's key for in-toto links from its file; a new one when there is none. It counts once it is enrolled. */
export function openLinkKey(path: string): LinkSigner {
  return existsSync(path) ? loadLinkKey(path) : createLinkKey(path);
}

/** This worker's NATS user key; a new one at the first start. Losing it costs one more enrolment, nothing else. */
export async function openNatsUserKey(dataDirectory: string): Promise<NatsUserKey> {
  const path = join(dataDirectory, "nats-user.seed");
  const seed = await readFile(path, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new Error(`reading the NATS user key ${path} failed`, { cause: error });
  });
  if (seed !== undefined) return loadUserKey(seed.trim());
  const key = createUserKey();
  await writeDurableFile(path, `${key.seed}\n`, { mode: 0o600 });
  return key;
}
