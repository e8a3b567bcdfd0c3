import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { verifyBundle } from "@quorate/signing/bundle";
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
  const [bundle, root] = await Promise.all([fetchText(`/v1/results/${input?.index}/bundle`), fetchText("/v1/trusted_root.json")]);
  expect(verifyBundle(bundle, identity, root)).toMatchObject({ kind: "result", result: { operator } });
});

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
