import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import type { LogStatement } from "@quorate/attestation/log-statement";
import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { sha256Of } from "@quorate/protocol/digest";
import { countersign, signOperatorStatement } from "@quorate/signing/envelope";
import { createKeylessSigner } from "@quorate/signing/keyless-signer";
import type { OperatorSigner } from "@quorate/signing/operator-signer";
import { startSigstore, type TestSigstore, tokenOf } from "@quorate/signing/sigstore.fixture";
import { formatBase64 } from "@quorate/tlog/base64";
import { flippedBit } from "@quorate/tlog/flipped-bit.fixture";
import { enrolmentOf, TestNetwork } from "@quorate/verdict/network.fixture";
import { formatProof, type Proof } from "@quorate/verdict/proof";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordingContext } from "../recording-terminal.fixture.ts";
import { runReplay } from "./replay.ts";
import { runVerify } from "./verify.ts";

const identity = { issuer: "https://token.example", subject: "https://git.example/ada/rebuilder" };
const owned = new AsyncDisposableStack();
const network = new TestNetwork();
let directory: string;
const pathOf = (name: string): string => join(directory, name);

function signerAt({ url }: TestSigstore, claims = identity): OperatorSigner {
  return createKeylessSigner({ ...identity, fulcioUrl: url, timestampUrl: url, getToken: async () => tokenOf(claims) });
}

/** A log in which Ada, who is keyless, is drawn beside two who have keys; `signer` is who signs Ada's result. */
async function logWith(log: TestNetwork, ada: OperatorSigner, signer = ada): Promise<void> {
  const signed = (statement: LogStatement, by = ada) => signOperatorStatement(statement, [by]);
  log.appendPolicy();
  for (const name of ["bert", "cyd"]) log.enrol(name);
  const { operator } = ada;
  const enrolment = { ...enrolmentOf(portableSignerOf("ada")), operator, identityKey: formatBase64(ada.identity) };
  log.appendBytes(countersign(await signed({ kind: "operator", predicate: enrolment }), log.networkKey));
  log.appendTarget();
  const round = log.roundFor();
  log.appendRound(round);
  const results = ["bert", "cyd"].map((name) => log.signResult(name, { round }));
  const [bert] = results;
  if (bert === undefined) throw new Error("Bert has a result");
  const result = await signed({ kind: "result", result: { ...bert.result, operator, nonce: "00".repeat(16) } }, signer);
  for (const other of results) log.commit(other);
  const commitment = { round: bert.result.round, operator, fence: bert.result.fence, envelope: sha256Of(result) };
  log.appendBytes(await signed({ kind: "commitment", commitment }));
  for (const { bytes } of results) log.appendBytes(bytes);
  log.appendBytes(result);
  log.appendVerdict(log.verdictOf(round));
}

async function serve(name: string, log: TestNetwork): Promise<void> {
  await writeTiles(pathOf(name), log.entries);
  await writeLogFile(pathOf(name), "checkpoint", log.proof([]).checkpoint);
}

let replayOptions: (log: string, trustedRoot?: string) => Parameters<typeof runReplay>[0];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-keyless-"));
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  const sigstore = owned.use(await startSigstore());
  const other = owned.use(await startSigstore());
  const ada = signerAt(sigstore);
  await logWith(network, ada);
  await serve("honest", network);
  const impostor = new TestNetwork();
  await logWith(impostor, ada, signerAt(sigstore, { ...identity, subject: "https://git.example/eve/rebuilder" }));
  await serve("impostor", impostor);
  await writeFile(pathOf("root.json"), sigstore.trustedRoot);
  await writeFile(pathOf("other-root.json"), other.trustedRoot);
  const policy = network.trustPolicy(["bert"]);
  const operators = [...policy.operators, { name: "ada", key: ada.identity, id: ada.operator }];
  await writeFile(pathOf("policy"), formatTrustPolicy({ ...policy, operators }));
  await writeFile(pathOf("mailgraph_1.14-20_all.deb"), "reference");
  await writeFile(pathOf("proof.json"), formatProof(network.proof()));
  const blobs = join(pathOf("data"), "coordinator", "blobs");
  for (const [sha256, bytes] of network.blobs) {
    await writeLogFile(blobs, join(sha256.slice(0, 2), `${sha256.slice(2)}.zst`), zstdCompressSync(bytes));
  }
  replayOptions = (log, trustedRoot) => ({
    log: pathOf(log),
    policy: pathOf("policy"),
    data: pathOf("data"),
    json: true,
    ...(trustedRoot !== undefined && { trustedRoot: pathOf(trustedRoot) }),
  });
});
afterAll(() => owned.disposeAsync());

describe("a keyless operator's results", () => {
  test("are replayed by who says whose certificates to believe", async () => {
    const context = recordingContext();
    expect(await runReplay(replayOptions("honest", "root.json"), context)).toBe(0);
    expect(context.json).toMatchObject([{ consistent: true, verdicts: [{ outcome: "reproduced" }] }]);
  });

  test.each([
    ["without a trusted root", "honest", undefined, 3, /no trusted root .* says which certificates to believe/],
    ["by the root of others", "honest", "other-root.json", 3, /timestamp could not be verified/],
    ["signed by another subject", "impostor", "root.json", 11, /certificate is for https:\/\/git\.example\/eve\/rebuilder/],
  ] as const)("are refused %s, at the entry, with the reason", async (_, log, root, index, reason) => {
    const context = recordingContext();
    expect(await runReplay(replayOptions(log, root), context)).toBe(2);
    expect(context.json).toMatchObject([{ consistent: false, index, rule: "signature", reason: expect.stringMatching(reason) }]);
  });

  test("count in a proof that is verified offline", async () => {
    const options = { proof: pathOf("proof.json"), policy: pathOf("policy"), json: true };
    const context = recordingContext();
    const deb = pathOf("mailgraph_1.14-20_all.deb");
    expect(await runVerify(deb, { ...options, trustedRoot: pathOf("root.json") }, context)).toBe(0);
    expect(context.json).toMatchObject([{ verified: true }]);
    const refused = recordingContext();
    expect(await runVerify(deb, options, refused)).toBe(2);
    expect(refused.json).toMatchObject([{ verified: false, reason: expect.stringMatching(/no trusted root/) }]);
  });

  test.each([
    [
      "the checkpoint's size",
      /signature by log\.example .* is wrong/,
      (proof) => ({ ...proof, checkpoint: proof.checkpoint.replace(/\n(\d+)\n/, "\n1$1\n") }),
    ],
    [
      "the checkpoint's root",
      /signature by log\.example .* is wrong/,
      (proof) => ({ ...proof, checkpoint: proof.checkpoint.replace(/(?<=\n\d+\n)(.+)/, flippedBit) }),
    ],
    [
      "the signature of the log",
      /signature by log\.example .* is wrong/,
      (proof) => ({ ...proof, checkpoint: proof.checkpoint.replace(/(?<=\u2014 log\S+ )(\S+)/, flippedBit) }),
    ],
    [
      "the times of the witnesses",
      /signature by w2\.example at 1001 is wrong/,
      (proof) => ({ ...proof, checkpoint: proof.checkpoint.replaceAll(/(?<=\u2014 w\S+ )(\S+)/g, laterByASecond) }),
    ],
    ["the index of her result", /inclusion/, (proof) => withHers(proof, (entry) => ({ ...entry, index: entry.index + 1 }))],
    ["its inclusion proof", /inclusion/, (proof) => withHers(proof, (entry) => ({ ...entry, inclusion: entry.inclusion.map(flippedBit) }))],
    [
      "its inclusion proof's length",
      /inclusion/,
      (proof) => withHers(proof, (entry) => ({ ...entry, inclusion: entry.inclusion.slice(1) })),
    ],
    [
      "its envelope",
      /inclusion/,
      (proof) => withHers(proof, (entry) => ({ ...entry, envelope: entry.envelope.replace(/(?<="sig":")([^"]+)/, flippedBit) })),
    ],
  ] satisfies [string, RegExp, (proof: Proof) => Proof][])("are refused offline in a proof with %s altered", async (_, reason, alter) => {
    const altered = formatProof(alter(network.proof()));
    expect(altered).not.toBe(formatProof(network.proof()));
    await writeFile(pathOf("altered.json"), altered);
    const context = recordingContext();
    const options = { proof: pathOf("altered.json"), policy: pathOf("policy"), trustedRoot: pathOf("root.json"), json: true };
    expect(await runVerify(pathOf("mailgraph_1.14-20_all.deb"), options, context)).toBe(2);
    expect(context.json).toMatchObject([{ verified: false, reason: expect.stringMatching(reason) }]);
  });

  test("need a trusted root that is one", async () => {
    await expect(runReplay(replayOptions("honest", "policy"), recordingContext())).rejects.toThrow(/reading the trusted root .*policy/);
  });
});

/** With Ada's result, which is the last entry but the verdict, changed. */
function withHers(proof: Proof, change: (entry: Proof["entries"][number]) => Proof["entries"][number]): Proof {
  const hers = network.entries.length - 2;
  return { ...proof, entries: proof.entries.map((entry) => (entry.index === hers ? change(entry) : entry)) };
}

/** A cosignature (C2SP tlog-cosignature) that says another time: key ID, 8 bytes of time, signature. */
function laterByASecond(text: string): string {
  const bytes = Buffer.from(text, "base64");
  bytes.writeBigUInt64BE(bytes.readBigUInt64BE(4) + 1n, 4);
  return bytes.toString("base64");
}
