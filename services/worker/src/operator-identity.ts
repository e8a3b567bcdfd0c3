import { createUserKey, loadUserKey, type NatsUserKey } from "@quorate/bus/user-credentials";
import { sha256Of, type Sha256 } from "@quorate/protocol/digest";
import { writeDurableFile } from "@quorate/service/durable-file";
import { loadJoinedNetwork, loadOperatorDirectory, type OperatorIdentity } from "@quorate/signing/operator-directory";
import { loadPassphraseFile } from "@quorate/signing/passphrase-file";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The operator, and the network that it has joined: where its coordinator is, and the digest of its key. */
export type JoinedOperator = OperatorIdentity & { readonly url: string; readonly network: Sha256 };

/** @throws Error when there is no operator, it has not joined a network, or its keys cannot be read */
export async function loadJoinedOperator(directory: string, passphraseFile: string | undefined): Promise<JoinedOperator> {
  const identity = loadOperatorDirectory(directory, passphraseFile === undefined ? undefined : await loadPassphraseFile(passphraseFile));
  const network = loadJoinedNetwork(directory);
  if (!network) throw new Error(`loading the operator in ${directory}: it has not joined a network; run: quorate operator enrol URL`);
  return { ...identity, url: network.url, network: sha256Of(Buffer.from(network.networkKey, "base64")) };
}

/** This worker's NATS user key; a new one at the first start. Losing it costs one more registration, nothing else. */
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
