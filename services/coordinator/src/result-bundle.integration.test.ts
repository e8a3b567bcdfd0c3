import { parseEntry } from "@quorate/attestation/log-statement";
import { parseHashedRekord } from "@quorate/attestation/hashed-rekord";
import { createLogReader } from "@quorate/client/log-reader";
import { verifyBundle } from "@quorate/signing/bundle";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { parseVkey } from "@quorate/tlog/note";
import { VerificationError } from "@quorate/tlog/verification-error";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import { replayLog } from "./replay.fixture.ts";
import { submitted } from "./submitted.fixture.ts";
import type { TestOperator } from "./test-operator.fixture.ts";

let network: TestNetwork;
let operators: TestOperator[];
let inputs: readonly { index: number; operator: string }[];
beforeAll(async () => {
  network = await startTestNetwork({ sources: [{ source: "alpha", version: "1.0", architecture: "all" }] });
  operators = [];
  for (const name of ["Ada", "Bert", "Cyd"]) operators.push(await network.enrol(name));
  const round = await submitted(network, "alpha");
  await Promise.all(operators.map((operator) => operator.work()));
  inputs = (await round.settled()).verdict?.inputs ?? [];
});
afterAll(() => network[Symbol.asyncDispose]());

const get = async (path: string): Promise<string> => {
  const response = await fetch(`${network.url}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.text();
};
const keyOf = (operator: string) => operators.find(({ id }) => id === operator)?.signer.spki ?? new Uint8Array();

test("each result is followed by one record of its signature, and the log replays", async () => {
  const reader = createLogReader({
    url: network.config.LOG_URL,
    signedBy: { keys: [parseVkey(network.config.LOG_KEY)], verify: verifyNoteSignature },
  });
  const { size } = (await reader.checkpoint()).checkpoint;
  const bundles = await Promise.all(inputs.map(({ index }) => get(`/v1/results/${index}/bundle`)));
  for (const [position, { index, operator }] of inputs.entries()) {
    const [entry] = JSON.parse(bundles[position] ?? "").verificationMaterial.tlogEntries;
    expect(Number(entry.logIndex)).toBeGreaterThan(index);
    const record = parseHashedRekord(await reader.entry(Number(entry.logIndex), size));
    const { envelope } = parseEntry(await reader.entry(index, size));
    expect(record).toMatchObject({ signature: envelope.signatures[0], publicKey: new Uint8Array(keyOf(operator)) });
  }
  expect(inputs).toHaveLength(3);
  expect((await replayLog(network.api)).verdicts).toMatchObject([{ verdict: { outcome: "reproduced" } }]);
});

test("Sigstore's verifier accepts each result with the published trusted root, and refuses what is altered", async () => {
  const trustedRoot = await get("/v1/trusted_root.json");
  for (const { index, operator } of inputs) {
    const bundle = await get(`/v1/results/${index}/bundle`);
    expect(verifyBundle(bundle, keyOf(operator), trustedRoot)).toMatchObject({ kind: "result", result: { operator } });
    const another = operators.find(({ id }) => id !== operator)?.id ?? "";
    expect(() => verifyBundle(bundle, keyOf(another), trustedRoot)).toThrow(VerificationError);
    const parsed = JSON.parse(bundle);
    parsed.verificationMaterial.tlogEntries[0].inclusionProof.logIndex = "0";
    expect(() => verifyBundle(JSON.stringify(parsed), keyOf(operator), trustedRoot)).toThrow(VerificationError);
  }
});

test("an entry that is no result has no bundle", async () => {
  for (const index of [0, 999_999]) await expect(get(`/v1/results/${index}/bundle`)).rejects.toThrow(/404 .*is no result/);
});
