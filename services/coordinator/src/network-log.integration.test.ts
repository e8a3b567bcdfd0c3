import { generateKeyPairSync } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseEntry } from "@quorate/attestation/log-statement";
import { manyArtifacts, sampleBuilt } from "@quorate/attestation/nouns.fixture";
import { createLogReader } from "@quorate/client/log-reader";
import { createLogWriter } from "@quorate/client/log-writer";
import { sha256Of } from "@quorate/protocol/digest";
import { defaultPolicy } from "@quorate/protocol/policy";
import { signStatement } from "@quorate/signing/envelope";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { createP256Key, p256SignerOf } from "@quorate/signing/p256-key";
import { parseVkey } from "@quorate/tlog/note";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { expect, test } from "vitest";
import { openBlobStore } from "./blob-store.ts";
import { createNetworkLog } from "./network-log.ts";
import { startLogWithWitnesses, temporaryDirectory } from "./servers.fixture.ts";

async function startNetworkLog(resources: AsyncDisposableStack) {
  const directory = await temporaryDirectory("network-log");
  resources.defer(() => rm(directory, { recursive: true }));
  const served = await startLogWithWitnesses((name) => join(directory, name), resources);
  const blobs = await openBlobStore(join(directory, "blobs"));
  const reader = createLogReader({ url: served.url, signedBy: { keys: [parseVkey(served.vkey)], verify: verifyNoteSignature } });
  const networkKey = createP256Key(join(directory, "network.key"));
  const writer = createLogWriter({ url: served.url, token: served.token });
  const log = createNetworkLog({ writer, reader, blobs, witnessPolicy: parseTlogPolicy(served.policy), networkKey });
  return { log, blobs, reader };
}

test("an envelope that is too large for an entry is a blob before the log names it, and is named once", async () => {
  await using resources = new AsyncDisposableStack();
  const { log, blobs, reader } = await startNetworkLog(resources);
  const signer = p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
  const envelope = signStatement({ kind: "result", result: { ...sampleBuilt, artifacts: manyArtifacts } }, [signer]);
  const request = { key: "result/x", kind: "result", envelope, wait: "published" } as const;
  const { entry, statement } = await log.append(request);
  expect(entry.digest).toBe(sha256Of(envelope));
  expect(statement).toMatchObject({ kind: "result", result: { artifacts: manyArtifacts } });
  const logged = await reader.entry(entry.index, (await reader.checkpoint()).checkpoint.size);
  expect(parseEntry(logged).statement).toEqual({
    kind: "large-envelope",
    large: { envelope: sha256Of(envelope), sizeBytes: envelope.length },
  });
  expect(await blobs.load(sha256Of(envelope), envelope.length)).toEqual(envelope);
  expect((await log.append(request)).entry).toEqual(entry);
});

test("whoever repeats an append gets what was logged first, though it was signed anew and says something else", async () => {
  await using resources = new AsyncDisposableStack();
  const { log } = await startNetworkLog(resources);
  const first = await log.appendSigned({ kind: "policy", policy: defaultPolicy }, { key: "policy/x", wait: "sequenced" });
  expect(first.published).toBeUndefined();
  const again = await log.appendSigned(
    { kind: "policy", policy: { ...defaultPolicy, threshold: 3 } },
    { key: "policy/x", wait: "published" },
  );
  expect(again.entry).toEqual(first.entry);
  expect(again.statement.policy).toEqual(defaultPolicy);
  expect(again.published?.size).toBeGreaterThan(first.entry.index);
});
