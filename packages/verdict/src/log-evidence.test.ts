import { verifyP256Portable } from "@quorate/attestation/portable-p256";
import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { expect, test } from "vitest";
import { type CheckedEntry, checkEntry } from "./check-entry.ts";
import type { EntryKeys } from "./entry-signers.ts";
import { LogEvidence } from "./log-evidence.ts";
import { TestNetwork, operatorNamed } from "./network.fixture.ts";

const tools = { hasher: portableHasher, verify: verifyP256Portable };
const networkKey = portableSignerOf("network").spki;

const checkWith = (keys: EntryKeys) => (bytes: Uint8Array) => checkEntry(bytes, keys, tools);
const knowingNobody = checkWith({ networkKey, keyOf: () => undefined });
const knowingAll = checkWith({
  networkKey,
  keyOf: (operator) => ["ada", "bert", "cyd"].map(portableSignerOf).find((signer) => signer.operator === operator)?.spki,
});

/** Reads a whole log. @returns the indices of what each verdict was reached from */
async function read(network: TestNetwork, check?: (bytes: Uint8Array) => CheckedEntry): Promise<number[][]> {
  const loadBlob = async () => undefined;
  const evidence = new LogEvidence({ networkKey, loadBlob, ...tools });
  const verdicts: number[][] = [];
  for (const [index, bytes] of network.entries.entries()) {
    const entries = await evidence.add({ index, bytes }, check?.(bytes));
    if (entries !== undefined) verdicts.push(entries.map((entry) => entry.index));
  }
  return verdicts;
}

test("what a verdict was reached from does not depend on who checked the entries, and when", async () => {
  const network = new TestNetwork();
  network.rebuild();
  const verdicts = await read(network);
  expect(verdicts).toHaveLength(1);
  expect(verdicts[0]).toHaveLength(network.entries.length);
  for (const check of [knowingNobody, knowingAll]) expect(await read(network, check)).toEqual(verdicts);
});

test("a result that was checked with a key that is not its operator's is refused in its turn", async () => {
  const network = new TestNetwork();
  network.appendPolicy();
  network.enrol("ada");
  network.appendTarget();
  const round = network.roundFor();
  network.appendRound(round);
  network.appendBytes(network.signResult("ada", { round, key: "mallory" }).bytes);
  const mallorysKey = portableSignerOf("mallory").spki;
  const misled = checkWith({ networkKey, keyOf: (operator) => (operator === operatorNamed("ada") ? mallorysKey : undefined) });
  await expect(read(network, misled)).rejects.toThrow(/entry 4: .*it is not signed by operator/);
});

test("what is no entry is refused, whenever it was looked at", async () => {
  const network = new TestNetwork();
  network.appendBytes(new TextEncoder().encode("{}"));
  await expect(read(network)).rejects.toThrow(/reading entry 0/);
  await expect(read(network, knowingAll)).rejects.toThrow(/reading entry 0/);
});
