import { sampleTarget } from "@quorate/attestation/nouns.fixture";
import { environmentPinDigestOf } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { describe, expect, test } from "vitest";
import { traceOf } from "./evidence.fixture.ts";
import { TestNetwork } from "./network.fixture.ts";
import { type Broken, committed, refusalAtEnd, names, prepared, replayOptionsOf, replayed, withRound } from "./replay.fixture.ts";
import { createReplay } from "./replay.ts";
import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import type { OperatorId } from "@quorate/protocol/operator";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { checkEntry } from "./check-entry.ts";
import { verifyP256Portable } from "@quorate/attestation/portable-p256";

const forged = traceOf(Array.from({ length: 12 }, (_, index) => `forged ${index}`));

describe("a log that keeps the rules", () => {
  test("replays, and gives its verdicts and its roots", async () => {
    const network = new TestNetwork();
    network.rebuild();
    const replay = await replayed(network);
    const { entries, verdicts } = replay.report();
    expect(entries).toBe(network.entries.length);
    expect(verdicts).toMatchObject([{ index: network.entries.length - 1, outcome: "reproduced" }]);
    expect(await replay.rootAt(5)).toEqual(network.tree.rootAt(5));
  });

  test("may hold dissent, forged traces, failures and results that come after the verdict", async () => {
    const network = new TestNetwork();
    network.rebuild(names, (name) => {
      if (name === "ada") return { failure: "timeout" };
      return name === "bert" ? { trace: forged, digest: "evil" } : {};
    });
    const { verdicts } = await replayed(network);
    expect(verdicts[0]?.outcome).toBe("inconclusive");
  });

  test("may try again, call stand-ins, revoke, and replace a verdict", async () => {
    const network = new TestNetwork({ committeeSize: 2 });
    network.rebuild(names, () => ({ failure: "timeout" }));
    const first = network.entries.length - 1;
    const again = network.roundFor(sampleTarget, 2);
    network.appendRound(again);
    const called = { ...again, standInsCalled: 1 };
    network.appendRound(called);
    const results = names.map((name) => network.signResult(name, { round: again }));
    for (const result of results) network.commit(result);
    for (const { bytes } of results) network.appendBytes(bytes);
    network.revoke("ada");
    network.appendVerdict(network.verdictOf(called, { supersedes: first }));
    const { verdicts } = await replayed(network);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(["failed", "reproduced"]);
  });

  test("does not count a commitment that came after the first reveal", async () => {
    const network = prepared();
    const round = network.roundFor();
    network.appendRound(round);
    const [first, second, third] = names.map((name) => network.signResult(name, { round }));
    if (!first || !second || !third) throw new Error("three results");
    network.commit(first);
    network.commit(second);
    network.appendBytes(first.bytes);
    network.commit(third);
    for (const { bytes } of [second, third]) network.appendBytes(bytes);
    network.appendVerdict(network.verdictOf(round));
    const { verdicts } = await replayed(network);
    expect(verdicts[0]?.inputs.map(({ standing }) => standing)).toEqual(["counted", "counted", "not-committed"]);
  });
});

describe("an entry that breaks a rule is refused, by the rule's name", () => {
  const broken: Broken[] = [
    [
      "bytes that are no entry",
      "format",
      /parsing DSSE envelope/,
      () => {
        const network = prepared();
        network.appendBytes(utf8("hello"));
        return network;
      },
    ],
    [
      "a target twice",
      "unique",
      /earlier entry for target\//,
      () => {
        const network = prepared();
        network.appendTarget();
        return network;
      },
    ],
    [
      "a second commitment of one operator",
      "unique",
      /earlier entry for commitment\//,
      () => {
        const { network, round } = committed();
        network.commit(network.signResult("ada", { round, digest: "second thought" }));
        return network;
      },
    ],
    [
      "a commitment to a round that was not logged",
      "round",
      /the commitment is to round/,
      () => {
        const network = prepared();
        network.commit(network.signResult("ada", { round: network.roundFor() }));
        return network;
      },
    ],
    [
      "a result without a commitment",
      "commitment",
      /reveals a result in round .* without a commitment/,
      () => {
        const { network, results } = withRound();
        network.appendBytes(results[0].bytes);
        return network;
      },
    ],
    [
      "a result other than the one committed to",
      "commitment",
      /the operator committed to .*, and reveals/,
      () => {
        const { network, round } = committed();
        network.appendBytes(network.signResult("ada", { round, digest: "second thought" }).bytes);
        return network;
      },
    ],
    [
      "a result of another source",
      "result",
      /of source hello, and its target of mailgraph/,
      () => {
        const { network, round } = withRound();
        const result = network.signResult("ada", { round, result: { source: "hello" } });
        network.commit(result);
        network.appendBytes(result.bytes);
        return network;
      },
    ],
    [
      "a result of another environment",
      "result",
      /the result is of environment/,
      () => {
        const { network, round } = withRound();
        const environment = environmentPinDigestOf({ ...sampleTarget.environment, expiredAllowed: true });
        const result = network.signResult("ada", { round, result: { environment } });
        network.commit(result);
        network.appendBytes(result.bytes);
        return network;
      },
    ],
  ];

  test.each(broken)("%s: %s", async (_, rule, reason, make) => {
    expect(await refusalAtEnd(make())).toMatchObject({ rule, message: expect.stringMatching(reason) });
  });

  test("an entry out of order: index", async () => {
    const network = prepared();
    const [bytes = new Uint8Array(0)] = network.entries;
    const replay = createReplay(replayOptionsOf(network));
    await expect(replay.add({ index: 1, bytes })).rejects.toThrow(/replaying entry 1: the entry after -1 was expected/);
  });
});

describe("entries that are checked before their turn", () => {
  const ahead = async (network: TestNetwork, known: (operator: OperatorId) => Uint8Array | undefined) => {
    const { networkKey, entries } = network;
    const tools = { verify: verifyP256Portable, hasher: portableHasher };
    const replay = createReplay(replayOptionsOf(network));
    const checked = entries.map((bytes) => checkEntry(bytes, { networkKey: networkKey.spki, keyOf: known }, tools));
    for (const [index, bytes] of entries.entries()) await replay.add({ index, bytes }, checked[index]);
    return replay.report().verdicts;
  };
  const firstKey = (operator: OperatorId) => names.map(portableSignerOf).find((signer) => signer.operator === operator)?.spki;

  test("give the same verdicts, whichever keys were known", async () => {
    const network = new TestNetwork();
    network.rebuild();
    const expected = (await replayed(network)).report().verdicts;
    expect(await ahead(network, firstKey)).toEqual(expected);
    expect(await ahead(network, () => undefined)).toEqual(expected);
    expect(await ahead(network, () => network.networkKey.spki)).toEqual(expected);
  });

  test("are refused when they are signed with a key that was changed since", async () => {
    const { network, round } = withRound();
    network.rotate("ada", "ada, renewed");
    const stale = network.commit(network.signResult("ada", { round }));
    await expect(ahead(network, firstKey)).rejects.toMatchObject({ index: stale, rule: "signature" });
  });

  test("are refused in the order of the log: the first bad one is named though a later one is no entry at all", async () => {
    const network = new TestNetwork();
    network.rebuild();
    const bad = network.appendVerdict(network.verdictOf(network.roundFor()));
    network.appendBytes(utf8("no entry"));
    await expect(ahead(network, firstKey)).rejects.toMatchObject({ index: bad, rule: "unique" });
  });
});
