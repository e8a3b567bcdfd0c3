import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { verifyBundle } from "@quorate/signing/bundle";
import { flippedBit } from "@quorate/tlog/flipped-bit.fixture";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import { submitted } from "../../services/coordinator/src/submitted.fixture.ts";
import type { TestOperator } from "../../services/coordinator/src/test-operator.fixture.ts";
import { ada, adasIdentity as identity, adasOperator as operator, type KeylessNetwork, startKeylessNetwork } from "../keyless-operator.ts";
import { quorate } from "../quorate.ts";

let keyless: KeylessNetwork;
let network: TestNetwork;
let bert: TestOperator;
/** Of Ada's result. */
let bundle = "";
let root = "";
const pathOf = (name: string): string => join(keyless.directory, name);

beforeAll(async () => {
  keyless = await startKeylessNetwork();
  ({ network } = keyless);
  bert = await network.enrol("Bert");
});
afterAll(() => keyless[Symbol.asyncDispose]());

test("an operator that somebody else's token stands for is not admitted, and is told whose it is", async () => {
  const answer = await keyless.enrolAs("Eve", "https://git.example/eve/rebuilder");
  expect(answer).toMatchObject({ code: 1, stdout: "" });
  expect(answer.stderr).toMatch(
    /certificate is for https:\/\/git\.example\/ada\/rebuilder, not for https:\/\/git\.example\/eve\/rebuilder/,
  );
});

test("an operator without a key enrols, its worker's result counts, and everybody who believes its authorities can check it", async () => {
  expect(await keyless.enrolAs("Ada", ada.subject)).toMatchObject({ code: 0, stdout: expect.stringContaining("admitted to") });
  await keyless.startWorkerOf("Ada");
  const round = await submitted(network, "alpha");
  await bert.work();
  const { verdict } = await round.settled();
  expect(verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
  const input = verdict?.inputs.find((counted) => counted.operator === operator);
  expect(input).toMatchObject({ standing: "counted" });

  const fetchText = async (path: string): Promise<string> => (await fetch(`${network.url}${path}`)).text();
  [bundle, root] = await Promise.all([fetchText(`/v1/results/${input?.index}/bundle`), fetchText("/v1/trusted_root.json")]);
  expect(verifyBundle(bundle, identity, root)).toMatchObject({ kind: "result", result: { operator } });
});

test.each([
  ["the entry's index", ["tlogEntries", 0, "logIndex"], another],
  ["the log's id", ["tlogEntries", 0, "logId", "keyId"], flippedBit],
  ["the time of the entry", ["tlogEntries", 0, "integratedTime"], another],
  ["the record's kind", ["tlogEntries", 0, "kindVersion", "kind"], () => "dsse"],
  ["the record's version", ["tlogEntries", 0, "kindVersion", "version"], () => "0.0.1"],
  ["the record", ["tlogEntries", 0, "canonicalizedBody"], flippedBit],
  ["the proof's index", ["tlogEntries", 0, "inclusionProof", "logIndex"], another],
  ["the proof's root", ["tlogEntries", 0, "inclusionProof", "rootHash"], flippedBit],
  ["the proof's size", ["tlogEntries", 0, "inclusionProof", "treeSize"], another],
  ["a hash of the proof", ["tlogEntries", 0, "inclusionProof", "hashes", 0], flippedBit],
  ["the checkpoint's origin", ["tlogEntries", 0, "inclusionProof", "checkpoint", "envelope"], (note) => `x${note}`],
  ["the checkpoint's size", ["tlogEntries", 0, "inclusionProof", "checkpoint", "envelope"], (note) => note.replace(/\n(\d+)\n/, "\n1$1\n")],
  [
    "the checkpoint's root",
    ["tlogEntries", 0, "inclusionProof", "checkpoint", "envelope"],
    (note) => note.replace(/(?<=\n\d+\n)(.+)/, flippedBit),
  ],
  [
    "the log's signature",
    ["tlogEntries", 0, "inclusionProof", "checkpoint", "envelope"],
    (note) => note.replace(/(?<=\u2014 \S+ )(\S+)/, flippedBit),
  ],
  ["the timestamp", ["timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp"], flippedBit],
  ["the certificate", ["certificate", "rawBytes"], flippedBit],
] satisfies [string, (string | number)[], (text: string) => string][])(
  "the bundle of a keyless result is refused when %s is altered",
  (_, path, alter) => {
    expect(() => verifyBundle(alteredAt(bundle, ["verificationMaterial", ...path], alter), identity, root)).toThrow(
      /^(?:verifying a Sigstore bundle|Sigstore bundle)/,
    );
  },
);

function another(number: string): string {
  return String(Number(number) + 1);
}

/** JSON with another text at one place. */
function alteredAt(json: string, path: readonly (string | number)[], alter: (text: string) => string): string {
  const parsed: unknown = JSON.parse(json);
  const last = path.at(-1) ?? "";
  const holder = path.slice(0, -1).reduce<unknown>((value, key) => Reflect.get(Object(value), key), parsed);
  const text: unknown = Reflect.get(Object(holder), last);
  if (typeof text !== "string" || alter(text) === text) throw new Error(`${path.join(".")} is no text that can be altered`);
  Reflect.set(Object(holder), last, alter(text));
  return JSON.stringify(parsed);
}

test("a reader checks the package offline, and the whole log, with a trusted root of their own, and not without", async () => {
  const { networkKey, witnessPolicy } = await network.api.network();
  const members = [
    { name: "ada", id: operator, key: identity },
    { name: "bert", id: bert.id, key: bert.signer.spki },
  ];
  const key = Buffer.from(networkKey, "base64");
  const trust = { witnessPolicy: parseTlogPolicy(witnessPolicy), network: { name: "test", key }, operators: members, threshold: 2 };
  await writeFile(pathOf("policy"), formatTrustPolicy(trust));
  const [artifact] = await network.api.artifacts({ name: "alpha" });
  if (artifact === undefined) throw new Error("there is no verdict on alpha");
  const { artifacts } = await network.api.target(artifact.target);
  const deb = pathOf(artifact.file);
  await copyFile(join(network.archive.root, artifacts[0]?.path ?? ""), deb);
  await writeFile(pathOf("proof.json"), await network.api.proof(artifact.sha256));
  const trusted = ["--trusted-root", pathOf("trusted_root.json")];
  const verify = ["verify", deb, "--proof", pathOf("proof.json"), "--policy", pathOf("policy")];
  expect(await quorate([...verify, ...trusted], { offline: true })).toMatchObject({ code: 0, stdout: expect.stringContaining("ada") });
  expect(await quorate(verify, { offline: true })).toMatchObject({ code: 2, stderr: expect.stringContaining("no trusted root") });
  const replay = ["replay", "--policy", pathOf("policy"), "--url", network.url, "--json"];
  expect(JSON.parse((await quorate([...replay, ...trusted])).stdout)).toMatchObject({ consistent: true });
  expect(JSON.parse((await quorate(replay)).stdout)).toMatchObject({ consistent: false, rule: "signature" });
});
