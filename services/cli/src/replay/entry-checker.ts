import { parentPort, workerData } from "node:worker_threads";
import type { OperatorId } from "@quorate/protocol/operator";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyP256 } from "@quorate/signing/p256-key";
import { parseEntryBundle } from "@quorate/tlog/entry-bundle";
import { checkEntry } from "@quorate/verdict/check-entry";
import { formatCheckedBundle } from "./checked-bundle.ts";

/** What a thread is asked: to check the entries of a bundle, or from now on with these keys. */
export type Asked = { readonly bundle: Uint8Array } | { readonly identityKeys: ReadonlyMap<OperatorId, Uint8Array> };

/** What a thread is started with. */
export type EntryCheckerData = { readonly networkKey: Uint8Array };

const { networkKey } = workerData as EntryCheckerData;
let identityKeys: ReadonlyMap<OperatorId, Uint8Array> = new Map();
const keys = { networkKey, keyOf: (operator: OperatorId) => identityKeys.get(operator) };
const tools = { hasher: nodeHasher, verify: verifyP256 };

/** A thread of `EntryCheckers`: answers each bundle in turn. */
parentPort?.on("message", (asked: Asked) => {
  if ("identityKeys" in asked) {
    identityKeys = asked.identityKeys;
    return;
  }
  const checked = formatCheckedBundle(parseEntryBundle(asked.bundle).map((bytes) => checkEntry(bytes, keys, tools)));
  parentPort?.postMessage(checked, [checked.leaves.buffer]);
});
