import { copyFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { createLogReader } from "@quorate/client/log-reader";
import { signStatement } from "@quorate/signing/envelope";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { loadP256Key } from "@quorate/signing/p256-key";
import { formatHash } from "@quorate/tlog/hash";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { formatProof, parseProof, type Proof } from "@quorate/verdict/proof";
import { expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import { submitted } from "../../services/coordinator/src/submitted.fixture.ts";
import { LogConstellation } from "../integration/log-constellation.ts";
import { quorate } from "../quorate.ts";
import { appendAll, firstOf, linesBesidesLog, readEntries, withoutRecords } from "./forged-log.ts";
import { play, readerOf } from "./play.ts";

test("colluding-witnesses", async () => {
  await using network = await startTestNetwork({ sources: [{ source: "alpha", version: "1.0", architecture: "all" }] });
  await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2 });
  const { directory, policyText } = constellation;
  const { deb, entries, proof, readerLines, ada } = await reproduced(network, directory);
  const networkKey = loadP256Key(network.config.NETWORK_KEY_FILE);
  const revocation = { action: "revoke", operator: ada, reason: "its key was stolen" } as const;
  const policy = { ...firstOf(withoutRecords(entries), "policy").policy, version: 2, threshold: 1 };
  // One key, two logs: of what happened, and of what the log would have the reader believe, which w1 alone cosigns.
  const askingFor = (group: string) => policyText.replace(/^group .*$/m, `group witnesses ${group}`);
  const history = async (witnesses: string, last: Parameters<typeof signStatement>[0]) => {
    const stores = { kind: "directory", path: join(directory, `history of ${witnesses}`) } as const;
    const shownTo = askingFor(witnesses).replaceAll(/^witness (\w+) .*\n/gm, (line, name) => (witnesses.includes(name) ? line : ""));
    const log = await constellation.startLog({ stores, policy: parseTlogPolicy(shownTo) });
    await appendAll(log.url, [...entries, signStatement(last, [networkKey])]);
    return log;
  };
  await using honest = await history("2 w2 w3", { kind: "operator", predicate: revocation });
  await using fork = await history("1 w1", { kind: "policy", policy });

  const believing = async (url: string, quorum: 1 | 2) => {
    const [policyFile, proofFile] = [join(directory, `policy ${quorum}`), join(directory, "proof")];
    await writeFile(policyFile, `${askingFor(`${quorum} w1 w2 w3`)}${readerLines}`);
    await writeFile(proofFile, formatProof(await underNewestOf(url, proof)));
    const [log, under, env] = [["--log", url], ["--policy", policyFile], { env: { QUORATE_URL: network.url } }];
    return Promise.all([
      quorate(["log", "fsck", ...log, ...under]),
      quorate(["replay", ...log, ...under], env),
      quorate(["verify", deb, "--proof", proofFile, ...under], { offline: true }),
    ]);
  };
  const codes = async (answers: ReturnType<typeof believing>) => (await answers).map(({ code, stderr }) => [code, stderr]);
  // What is refused below is refused for its witnesses alone: nothing else is wrong with either history.
  for (const [url, quorum] of [[honest.url, 2] as const, [fork.url, 1] as const])
    expect(await codes(believing(url, quorum))).toEqual([0, 0, 0].map((code) => [code, ""]));
  const answers = await believing(fork.url, 2);
  const reason = `verifying the checkpoint of log.example/test at size ${entries.length + 1}: cosigned by w1, which is not the quorum "witnesses"`;
  expect(answers.map(({ code, stdout, stderr }) => ({ code, stdout, stderr }))).toEqual([
    { code: 2, stdout: "", stderr: `quorate: reading the log at ${fork.url}: ${reason}\n` },
    { code: 2, stdout: "", stderr: `quorate: the log at ${fork.url} is NOT consistent: ${reason}\n` },
    { code: 2, stdout: "", stderr: `quorate: NOT verified: ${deb}: ${reason}\n` },
  ]);
});

/** What a log holds that reproduced a package, the proof of that, and the package itself. */
async function reproduced(network: TestNetwork, directory: string) {
  const operators = [await network.enrol("Ada"), await network.enrol("Bert"), await network.enrol("Cyd")] as const;
  const round = await submitted(network, "alpha");
  await Promise.all(operators.map((operator) => play(network, operator)));
  expect((await round.settled()).verdict?.outcome).toBe("reproduced");
  const entries = await readEntries((await network.api.network()).logUrl);
  const [artifact] = firstOf(withoutRecords(entries), "target").target.artifacts;
  if (!artifact) throw new Error("the target has no artifact");
  const deb = join(directory, basename(artifact.path));
  await copyFile(join(network.archive.root, artifact.path), deb);
  const proof = parseProof(await network.api.proof(artifact.sha256));
  const { policyFile } = await readerOf(network, operators, directory);
  return { deb, entries, proof, readerLines: await linesBesidesLog(policyFile), ada: operators[0].id };
}

/** The same entries at the same places, under the checkpoint that this log shows. */
async function underNewestOf(url: string, proof: Proof): Promise<Proof> {
  const reader = createLogReader({ url, hasher: nodeHasher });
  const { checkpoint, text } = await reader.checkpoint();
  const entries = proof.entries.map(async (entry) => ({
    ...entry,
    inclusion: (await reader.inclusionProof(entry.index, checkpoint.size)).map(formatHash),
  }));
  return { ...proof, checkpoint: text, entries: await Promise.all(entries) };
}
