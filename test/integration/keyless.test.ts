import { hash } from "node:crypto";
import { copyFile, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSha256 } from "@quorate/protocol/digest";
import { operatorIdOf } from "@quorate/protocol/operator";
import { silentLogger } from "@quorate/service/logger";
import { formatKeylessIdentity } from "@quorate/attestation/identity";
import { verifyBundle } from "@quorate/signing/bundle";
import { startSigstore, type TestSigstore, tokenOf } from "@quorate/signing/sigstore.fixture";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { invitationToken, startTestNetwork, type TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import { temporaryDirectory } from "../../services/coordinator/src/servers.fixture.ts";
import { submitted } from "../../services/coordinator/src/submitted.fixture.ts";
import type { TestOperator } from "../../services/coordinator/src/test-operator.fixture.ts";
import type { BuildOutcome, BuildRequest } from "../../services/worker/src/executor.ts";
import { createInstantExecutor } from "../../services/worker/src/executor.fixture.ts";
import { startWorker } from "../../services/worker/src/start.ts";
import { quorate } from "../quorate.ts";

const ada = { issuer: "https://token.example", subject: "https://git.example/ada/rebuilder" };
const identity = formatKeylessIdentity(ada);
const operator = operatorIdOf(identity);
const owned = new AsyncDisposableStack();
let directory: string;
let sigstore: TestSigstore;
let network: TestNetwork;
let bert: TestOperator;
const pathOf = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await temporaryDirectory("keyless");
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  sigstore = owned.use(await startSigstore());
  const { trustedRoot } = sigstore;
  network = owned.use(await startTestNetwork({ sources: [{ source: "alpha", version: "1.0", architecture: "all" }], trustedRoot }));
  bert = await network.enrol("Bert");
  await writeFile(pathOf("trusted_root.json"), trustedRoot);
});
afterAll(() => owned.disposeAsync());

/** Makes an operator that is whom `subject` names, with tokens for Ada, and has it ask to be admitted. */
async function enrolAs(name: string, subject: string) {
  const tokenFile = pathOf("token");
  await writeFile(tokenFile, `${tokenOf(ada)}\n`);
  const services = ["--fulcio", sigstore.url, "--timestamp-authority", sigstore.url, "--keyless-token-file", tokenFile];
  const where = ["--operator", pathOf(name)];
  const identityOptions = ["--keyless-issuer", ada.issuer, "--keyless-subject", subject];
  const made = await quorate(["operator", "init", "--name", name, "--architecture", "all", ...identityOptions, ...services, ...where]);
  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining(`${subject}, as ${ada.issuer} knows it`) });
  return quorate(["operator", "enrol", network.url, "--invitation", invitationToken, ...where]);
}

/** "Builds" what the archive has. */
async function takePublished({ target, workDirectory }: BuildRequest): Promise<BuildOutcome> {
  const copy = async ({ file: name, path: published }: (typeof target.artifacts)[number]) => {
    const path = join(workDirectory, name);
    await copyFile(join(network.archive.root, published), path);
    const bytes = await readFile(path);
    return { name, path, sizeBytes: (await stat(path)).size, sha256: parseSha256(hash("sha256", bytes)), sha512: hash("sha512", bytes) };
  };
  const buildLog = pathOf("build.log");
  await writeFile(buildLog, "built\n");
  return {
    kind: "built",
    builderVersion: { kernel: "6.12.0" },
    sandboxProfile: "none",
    artifacts: await Promise.all(target.artifacts.map(copy)),
    sources: [],
    trace: [],
    buildLog: { name: "build.log", path: buildLog, sizeBytes: 6, sha256: parseSha256(hash("sha256", "built\n")) },
    lock: { environment: parseSha256(hash("sha256", "")), packages: [] },
    manifests: [],
  };
}

test("an operator that somebody else's token stands for is not admitted, and is told whose it is", async () => {
  const answer = await enrolAs("Eve", "https://git.example/eve/rebuilder");
  expect(answer).toMatchObject({ code: 1, stdout: "" });
  expect(answer.stderr).toMatch(
    /certificate is for https:\/\/git\.example\/ada\/rebuilder, not for https:\/\/git\.example\/eve\/rebuilder/,
  );
});

test("an operator without a key enrols, its worker's result counts, and everybody who believes its authorities can check it", async () => {
  expect(await enrolAs("Ada", ada.subject)).toMatchObject({ code: 0, stdout: expect.stringContaining("admitted to") });
  const worker = await startWorker({
    config: {
      operatorDirectory: pathOf("Ada"),
      dataDirectory: pathOf("worker"),
      passphraseFile: undefined,
      workerName: "attic",
      tags: [],
      once: true,
      parallel: 1,
      limits: { timeoutSeconds: 60, memoryMib: 100, diskMib: 100, processes: 100 },
    },
    openExecutor: () => createInstantExecutor(takePublished),
    logger: silentLogger,
    fail: () => undefined,
  });
  owned.use(worker);
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
