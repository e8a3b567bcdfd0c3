import { rm } from "node:fs/promises";
import { parseEntry } from "@quorate/attestation/log-statement";
import { sha256Of } from "@quorate/protocol/digest";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { signStatement } from "@quorate/signing/envelope";
import { loadP256Key, type P256Signer } from "@quorate/signing/p256-key";
import { sha256FromHash } from "@quorate/tlog/hash";
import { PrefixTree } from "@quorate/verdict/prefix-tree";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import { temporaryDirectory } from "../../services/coordinator/src/servers.fixture.ts";
import { submitted } from "../../services/coordinator/src/submitted.fixture.ts";
import type { TestOperator } from "../../services/coordinator/src/test-operator.fixture.ts";
import { firstOf, linesBesidesLog, placeOf, readEntries, replayForged, verdictOn, withoutRecords } from "./forged-log.ts";
import { readerOf, rebuiltDigest } from "./play.ts";

const owned = new AsyncDisposableStack();
let network: TestNetwork;
let networkKey: P256Signer;
let members: TestOperator[];
/** What the honest coordinator logged: one round that came out as a mismatch, and its verdict last. */
let logged: Uint8Array[];
/** The same without records of signatures. */
let honest: Uint8Array[];
let readerLines: string;

beforeAll(async () => {
  const directory = await temporaryDirectory("adversaries");
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  network = owned.use(await startTestNetwork({ sources: [{ source: "alpha", version: "1.0", architecture: "all" }] }));
  const operators: TestOperator[] = [];
  for (const name of ["Ada", "Bert", "Cyd", "Dora"]) operators.push(await network.enrol(name));
  const round = await submitted(network, "alpha");
  const { jobs } = await round.once(({ state }) => state === "building");
  members = operators.filter(({ id }) => jobs.some(({ operator }) => operator === id));
  await Promise.all(members.map((operator) => operator.work({ digestOf: rebuiltDigest })));
  await round.settled();
  const reader = await readerOf(network, operators, directory);
  readerLines = await linesBesidesLog(reader.policyFile);
  logged = await readEntries((await network.api.network()).logUrl);
  honest = withoutRecords(logged);
  networkKey = loadP256Key(network.config.NETWORK_KEY_FILE);
});
afterAll(() => owned.disposeAsync());

const replay = (entries: readonly Uint8Array[]) => replayForged(entries, { readerLines, apiUrl: network.url });
const before = (kind: Parameters<typeof placeOf>[1]): Uint8Array[] => honest.slice(0, placeOf(honest, kind));
const signed = (statement: Parameters<typeof signStatement>[0]): Uint8Array => signStatement(statement, [networkKey]);
const refusedAt = (index: number, rule: string) => ({ code: 2, report: { consistent: false, index, rule } });

function member(place: number): TestOperator {
  const operator = members[place];
  if (operator === undefined) throw new Error(`the committee has no member ${place}`);
  return operator;
}

function entryAt(place: number): Uint8Array {
  const entry = honest[place];
  if (entry === undefined) throw new Error(`the log has no entry ${place}`);
  return entry;
}

const without = (entries: readonly Uint8Array[], place: number): Uint8Array[] => entries.filter((_, at) => at !== place);

test("forged-verdict", async () => {
  expect(await replay(logged)).toMatchObject({ code: 0, report: { consistent: true } });
  const entries = before("verdict");
  const forged = signed({ kind: "verdict", verdict: { ...verdictOn(entries), outcome: "reproduced" } });
  expect(await replay([...entries, forged])).toMatchObject(refusedAt(entries.length, "verdict"));
});

test("forged-claim", async () => {
  const { result } = firstOf(honest, "result");
  if (result.outcome !== "built") throw new Error("the first result is not of a build");
  const published = firstOf(honest, "target").target.artifacts;
  const artifacts = published.map(({ file, sizeBytes, sha256 }) => ({ name: file, sizeBytes, sha256 }));
  const entries = before("result");
  const forged = signed({ kind: "result", result: { ...result, artifacts } });
  expect(await replay([...entries, forged])).toMatchObject(refusedAt(entries.length, "signature"));
});

test("hidden-result", async () => {
  const hidden = member(0).id;
  const entries = without(before("verdict"), placeOf(honest, "result", hidden));
  const verdict = verdictOn(entries);
  expect(await replay([...entries, signed({ kind: "verdict", verdict })])).toMatchObject({
    code: 0,
    report: { consistent: true, verdicts: [{ round: verdict.round, unrevealed: [hidden] }] },
  });
  const commitment = parseEntry(entryAt(placeOf(honest, "commitment", hidden))).statement;
  const envelope = sha256Of(entryAt(placeOf(honest, "result", hidden)));
  expect(commitment).toMatchObject({ commitment: { operator: hidden, envelope } });
});

test("chosen-committee", async () => {
  const { round } = firstOf(honest, "round");
  const { committee, standIns } = round;
  const chosen = { committee: [...standIns.slice(0, 1), ...committee.slice(1)], standIns: committee.slice(0, 1) };
  const entries = before("round");
  const forged = signed({ kind: "round", round: { ...round, ...chosen } });
  expect(await replay([...entries, forged])).toMatchObject(refusedAt(entries.length, "committee"));
});

test("old-policy", async () => {
  const { policy } = firstOf(honest, "policy");
  const entries = [...before("round"), signed({ kind: "policy", policy: { ...policy, version: 2, threshold: 3 } })];
  const forged = signed({ kind: "round", round: firstOf(honest, "round").round });
  expect(await replay([...entries, forged])).toMatchObject(refusedAt(entries.length, "policy"));
});

test("backdated-seed", async () => {
  const size = placeOf(honest, "target");
  const tree = new PrefixTree(nodeHasher);
  for (const bytes of honest.slice(0, size)) tree.append(bytes);
  const seed = { size, rootSha256: sha256FromHash(tree.rootAt(size)) };
  const entries = before("round");
  const forged = signed({ kind: "round", round: { ...firstOf(honest, "round").round, seed } });
  expect(await replay([...entries, forged])).toMatchObject(refusedAt(entries.length, "seed"));
});

test("backdated-commitment", async () => {
  const friend = member(2).id;
  const revealed = placeOf(honest, "result", member(0).id);
  const late = [entryAt(revealed), entryAt(placeOf(honest, "commitment", friend))];
  const results = honest.slice(placeOf(honest, "result"), -1).filter((entry) => !late.includes(entry));
  const entries = [...before("result").filter((entry) => !late.includes(entry)), ...late, ...results];
  const forged = signed({ kind: "verdict", verdict: verdictOn(entries, { counting: friend }) });
  expect(await replay([...entries, forged])).toMatchObject(refusedAt(entries.length, "verdict"));
  const right = signed({ kind: "verdict", verdict: verdictOn(entries) });
  expect(await replay([...entries, right])).toMatchObject({ code: 0, report: { consistent: true } });
});

test("second-verdict", async () => {
  const { verdict } = firstOf(honest, "verdict");
  const second = signed({ kind: "verdict", verdict: { ...verdict, decidedAt: "2026-11-25T09:00:00Z" } });
  expect(await replay([...logged, second])).toMatchObject(refusedAt(logged.length, "unique"));
});

test("revoked-key", async () => {
  const { id } = member(1);
  const revocation = signed({ kind: "operator", predicate: { action: "revoke", operator: id, reason: "its key was stolen" } });
  const start = placeOf(honest, "result");
  const entries = [...honest.slice(0, start), revocation, ...before("verdict").slice(start)];
  const forged = signed({ kind: "verdict", verdict: verdictOn(entries, { counting: id }) });
  expect(await replay([...entries, forged])).toMatchObject(refusedAt(entries.length, "verdict"));
  const right = signed({ kind: "verdict", verdict: verdictOn(entries) });
  expect(await replay([...entries, right])).toMatchObject({ code: 0, report: { consistent: true } });
});
