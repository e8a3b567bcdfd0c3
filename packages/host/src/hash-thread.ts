import { parentPort } from "node:worker_threads";
import { type HashAnswer, hashFile } from "./hash-file.ts";

export type HashBatch = { readonly places: readonly (string | Uint8Array)[] };

parentPort?.on("message", ({ places }: HashBatch) => {
  // A buffer comes out of a message as plain bytes.
  const answers: HashAnswer[] = places.map((place) => hashFile(typeof place === "string" ? place : Buffer.from(place)));
  parentPort?.postMessage(answers, []);
});
