import { parentPort } from "node:worker_threads";
import { verifyP256 } from "./p256-key.ts";
import { parseSignatureBatch } from "./signature-batch.ts";

/** A thread of `SignatureWorkers`: for each batch it answers one byte a signature, 1 where it verifies. */
parentPort?.on("message", (batch: Uint8Array) => {
  const checks = parseSignatureBatch(batch);
  const answers = Uint8Array.from(checks, ({ spki, message, signature }) => Number(verifyP256(spki, message, signature)));
  parentPort?.postMessage(answers, [answers.buffer]);
});
