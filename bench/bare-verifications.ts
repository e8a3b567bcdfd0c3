import { generateKeyPairSync, sign, verify } from "node:crypto";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { ratePerSecond } from "./figure.ts";

/** ECDSA P-256 verifications a second of this machine, with OpenSSL on as many threads as it has processors. */
export async function bareVerificationsPerSecond(): Promise<number> {
  const threads = Array.from({ length: availableParallelism() }, () => new Worker(new URL(import.meta.url)));
  const rates = await Promise.all(threads.map(async (thread): Promise<number> => (await once(thread, "message"))[0]));
  return rates.reduce((sum, rate) => sum + rate, 0);
}

if (!isMainThread) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const message = Buffer.alloc(32, 7);
  const signature = sign("sha256", message, privateKey);
  parentPort?.postMessage(
    ratePerSecond(() => verify("sha256", message, publicKey, signature)),
    [],
  );
}
