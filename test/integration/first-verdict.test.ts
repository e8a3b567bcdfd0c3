import { execFile } from "node:child_process";
import { appendFile, copyFile, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { createLogWriter } from "@quorate/client/log-writer";
import { parseSha256 } from "@quorate/protocol/digest";
import type { RoundView, SubmissionView } from "@quorate/protocol/submission";
import { signStatement } from "@quorate/signing/envelope";
import { loadP256Key } from "@quorate/signing/p256-key";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyPaths } from "../../services/cli/src/up/network-keys.ts";
import { loadSettings } from "../../services/cli/src/up/settings.ts";
import { createRoot, installDebs } from "../audited-host.ts";
import { inPhase, settled, startTestNetwork, type TestNetwork } from "../network.ts";
import { quorate } from "../quorate.ts";
import { samples } from "../samples.ts";
import { verifyLargeEnvelopes, many } from "./large-envelope.ts";

const run = promisify(execFile);
let net: TestNetwork;

beforeAll(async () => {
  net = await startTestNetwork([...Object.values(samples), many]);
});
afterAll(async () => {
  await net?.[Symbol.asyncDispose]();
});

const submit = async (source: string): Promise<SubmissionView> =>
  await net.api.submit({ distribution: "debian", suite: net.suite, source });

function only(submission: SubmissionView): RoundView {
  const [round] = submission.rounds;
  if (round === undefined || submission.rounds.length !== 1) throw new Error(`${submission.rounds.length} rounds instead of one`);
  return round;
}

function verdictOf(submission: SubmissionView) {
  const { verdict } = only(submission);
  if (verdict === undefined) throw new Error("the round settled without a verdict");
  return verdict;
}

/** The files that a reader needs: what apt would have downloaded, the proof, the policy. */
async function readerFiles(submission: SubmissionView): Promise<{ deb: string; proof: string; policy: string }> {
  const target = await net.api.target(only(submission).target);
  const artifact = target.artifacts[0];
  if (artifact === undefined) throw new Error("the target has no artifact");
  const deb = join(net.directory, artifact.file);
  await copyFile(join(net.archive.root, artifact.path), deb);
  const proof = join(net.directory, `${artifact.file}.proof.json`);
  await writeFile(proof, await net.api.proof(parseSha256(artifact.sha256)));
  return { deb, proof, policy: net.network.layout.trustPolicy };
}

const operatorsOf = (submission: SubmissionView): number => new Set(verdictOf(submission).inputs.map(({ operator }) => operator)).size;

describe("verdicts of real rebuilds", () => {
  test("a source that rebuilds to the published bytes is reproduced by three operators", async () => {
    const submission = await net.rebuild(samples.steady.source);
    expect(verdictOf(submission)).toMatchObject({ outcome: "reproduced", dissent: [] });
    expect(operatorsOf(submission)).toBe(3);
    expect(verdictOf(submission).inputs.map(({ standing }) => standing)).toEqual(["counted", "counted", "counted"]);
  });

  test("a submission that is made again gets the same round", async () => {
    const first = await net.rebuild(samples.steady.source);
    const again = await submit(samples.steady.source);
    expect(again.id).toBe(first.id);
    expect(only(again).verdictIndex).toBe(only(first).verdictIndex);
  });

  test("a published binary that was made from something else is a mismatch, with the digest that the operators agree on", async () => {
    const verdict = verdictOf(await net.rebuild(samples.drifted.source));
    expect(verdict.outcome).toBe("mismatch");
    expect(verdict.artifacts[0]?.digests).toHaveLength(1);
    expect(verdict.artifacts[0]?.digests[0]?.operators).toHaveLength(3);
    expect(verdict.artifacts[0]?.digests[0]?.sha256).not.toBe(verdict.artifacts[0]?.reference);
  });

  test("a source that differs at every build is unreproducible, with the digest of each operator", async () => {
    const verdict = verdictOf(await net.rebuild(samples.random.source));
    expect(verdict.outcome).toBe("unreproducible");
    expect(verdict.artifacts[0]?.digests).toHaveLength(3);
  });

  test("a source that does not build is failed, and says so", async () => {
    const verdict = verdictOf(await net.rebuild(samples.broken.source));
    expect(verdict.outcome).toBe("failed");
    expect(verdict.reason).toContain("build");
  });

  test("a binary that the distribution rebuilt without a source change is reproduced under its own version", async () => {
    const submission = await net.rebuild(samples.renumbered.source);
    expect(verdictOf(submission).outcome).toBe("reproduced");
    expect((await net.api.target(only(submission).target)).binNmu).toBe("+b1");
  });

  test("a source of so many packages that the log takes no result of it whole is reproduced, replayed and verified", async () => {
    expect(await verifyLargeEnvelopes(net)).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("checking", () => {
  test("verify shows the whole chain without a network", async () => {
    const { deb, proof, policy } = await readerFiles(await net.rebuild(samples.steady.source));
    const answer = await quorate(["verify", deb, "--proof", proof, "--policy", policy], { offline: true });
    expect(answer.stderr).toBe("");
    expect(answer.code).toBe(0);
    for (const part of [basename(deb), "reproduced", ...net.network.operators, "witness"]) expect(answer.stdout).toContain(part);
  });

  test("verify refuses one flipped bit in the package, the proof, a signature or the policy, with exit code 2 and the reason", async () => {
    const { deb, proof, policy } = await readerFiles(await net.rebuild(samples.steady.source));
    const bytes = await readFile(deb);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    const changedDeb = join(net.directory, "changed", basename(deb)).replace("/changed/", "/changed-");
    await writeFile(changedDeb, bytes);
    const refused = [await quorate(["verify", changedDeb, "--proof", proof, "--policy", policy])];
    const text = await readFile(proof, "utf8");
    const changedProof = join(net.directory, "changed-proof.json");
    // Places all over the proof: signatures, payloads, hashes, the checkpoint and its cosignatures.
    for (let place = 1; place < 40; place += 3) {
      const at = Math.floor((text.length * place) / 40);
      const changed = Buffer.from(text);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(changedProof, changed);
      refused.push(await quorate(["verify", deb, "--proof", changedProof, "--policy", policy]));
    }
    const changedPolicy = join(net.directory, "changed-policy");
    const policyText = await readFile(policy, "utf8");
    const key = /^network \S+ (\S+)$/m.exec(policyText)?.[1] ?? "";
    await writeFile(changedPolicy, policyText.replace(key, key.slice(0, -20) + (key.at(-20) === "A" ? "B" : "A") + key.slice(-19)));
    refused.push(await quorate(["verify", deb, "--proof", proof, "--policy", changedPolicy]));
    for (const answer of refused) expect(answer).toMatchObject({ code: 2, stdout: "" });
    for (const answer of refused) expect(answer.stderr).toMatch(/\S+: \S+/);
  });

  test("verify refuses a package whose verdict is not reproduced", async () => {
    const { deb, proof, policy } = await readerFiles(await net.rebuild(samples.drifted.source));
    const answer = await quorate(["verify", deb, "--proof", proof, "--policy", policy]);
    expect(answer.code).toBe(2);
    expect(answer.stderr).toContain("mismatch");
  });

  test("trace diff finds the traces of two operators the same where a build is steady, and names the file where it is not", async () => {
    const compare = async (submission: SubmissionView) => {
      const [first = "", second = ""] = net.network.operators.map((operator) => `${only(submission).round}/${operator}`);
      return await quorate(["trace", "diff", first, second, "--data", net.network.layout.root, "--json"]);
    };
    const steady = await compare(await net.rebuild(samples.steady.source));
    expect(JSON.parse(steady.stdout)).toMatchObject({ same: true, agreement: "corroborates", different: [] });
    expect(steady.code).toBe(0);
    const random = await compare(await net.rebuild(samples.random.source));
    expect(JSON.parse(random.stdout).different).toMatchObject([{ path: expect.stringMatching(/work\/random\.o$/) }]);
    expect(random.code).toBe(1);
    expect((await quorate(["trace", "diff", "1"])).code).toBe(2);
  });

  test("replay recomputes every verdict from the served log", async () => {
    await net.rebuild(samples.steady.source);
    const answer = await quorate(["replay", "--data", net.network.layout.root, "--json"]);
    expect(answer.code).toBe(0);
    const report = JSON.parse(answer.stdout);
    expect(report).toMatchObject({ consistent: true });
    expect(report.verdicts.length).toBeGreaterThan(0);
  });
});

describe("a host", () => {
  test("syncs all verdicts, and audits offline what it has installed", async () => {
    const { deb } = await readerFiles(await net.rebuild(samples.steady.source));
    const { layout, url } = net.network;
    const [snapshot, root] = [join(net.directory, "snapshot"), join(net.directory, "audited")];
    const synced = await quorate(["sync", url, "--policy", layout.trustPolicy, "--into", snapshot]);
    expect(synced).toMatchObject({ code: 0, stderr: "" });
    await createRoot(root);
    await installDebs(root, [deb]);
    const audited = await quorate(["audit", "--root", root, "--snapshot", snapshot], { offline: true });
    expect(audited).toMatchObject({ code: 0, stdout: expect.stringContaining("1 verified, 0 unverified") });
    await appendFile(join(root, "usr/share/sample/text"), "more\n");
    expect(await quorate(["audit", "--root", root, "--snapshot", snapshot], { offline: true })).toMatchObject({ code: 2 });
  });
});

describe("trouble in mid-round", () => {
  test("a worker that is killed, the coordinator killed and Redis wiped: the same verdict", async () => {
    const submission = await submit(samples.slow.source);
    const operator = await inPhase(net.api, submission, "building");
    process.kill(net.network.child(`worker-${operator}`)?.pid() ?? 0, "SIGKILL");
    process.kill(net.network.child("coordinator")?.pid() ?? 0, "SIGKILL");
    await run("redis-cli", ["-s", join(net.network.layout.sockets, "redis.sock"), "FLUSHALL"]);
    const verdict = verdictOf(await settled(net.api, submission));
    expect(verdict.outcome).toBe("reproduced");
    expect(verdict.inputs).toHaveLength(3);
  });

  test("stopped and started again, the network knows its verdicts and the policy that was published, and goes on", async () => {
    const before = await net.rebuild(samples.steady.source);
    const policyCommand = async (...words: string[]) =>
      await quorate(["network", "policy", ...words, "--data", net.network.layout.root, "--json"]);
    const { inForce } = JSON.parse((await policyCommand("show")).stdout);
    const rules = join(net.directory, "rules.json");
    await writeFile(rules, JSON.stringify({ ...inForce.policy, revealDeadlineSeconds: 500 }));
    const published = await policyCommand("publish", rules);
    expect(JSON.parse(published.stdout)).toMatchObject({ policy: { version: 2, revealDeadlineSeconds: 500 } });
    expect(await policyCommand("publish", rules)).toMatchObject({ code: 1, stderr: expect.stringContaining("in force already") });
    await net.restart();
    expect(only(await net.api.submission(before.id)).verdictIndex).toBe(only(before).verdictIndex);
    expect(JSON.parse((await policyCommand("show")).stdout).inForce).toEqual(JSON.parse(published.stdout));
    expect((await quorate(["replay", "--data", net.network.layout.root])).code).toBe(0);
  });
});

describe("a coordinator that lies", () => {
  // Last: the log of this network is spoilt by it for good.
  test("a verdict forged with the network key is named by replay, with exit code 2", async () => {
    const drifted = verdictOf(await net.rebuild(samples.drifted.source));
    const { layout, logUrl } = net.network;
    const forged = signStatement({ kind: "verdict", verdict: { ...drifted, outcome: "reproduced" } }, [
      loadP256Key(keyPaths.network(layout)),
    ]);
    const token = (await loadSettings(layout.settings))?.tokens.log ?? "";
    const { index } = await createLogWriter({ url: logUrl, token }).append({ key: "forged", bytes: forged, wait: "published" });
    const answer = await quorate(["replay", "--data", layout.root, "--json"]);
    expect(answer.code).toBe(2);
    expect(JSON.parse(answer.stdout)).toMatchObject({ consistent: false, index });
  });
});
