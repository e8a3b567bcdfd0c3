import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { environmentPinDigestOf } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { describe, expect, test } from "vitest";
import { traceOf } from "./evidence.fixture.ts";
import { TestNetwork, enrolmentOf, honestTrace, operatorNamed } from "./network.fixture.ts";
import type { ReplayRule } from "./replay-error.ts";
import { ReplayError } from "./replay-error.ts";
import { createReplay } from "./replay.ts";

const names = ["ada", "bert", "cyd"];
const forged = traceOf(Array.from({ length: 12 }, (_, index) => `forged ${index}`));

async function replayed({ networkKey, entries, blobs }: TestNetwork) {
  const replay = createReplay({ networkKey: networkKey.spki, loadBlob: async (sha256) => blobs.get(sha256) });
  for (const [index, bytes] of entries.entries()) await replay.add({ index, bytes });
  return replay;
}

/** A network whose policy and operators are logged, and the target. */
function prepared(): TestNetwork {
  const network = new TestNetwork();
  network.appendPolicy();
  for (const name of names) network.enrol(name);
  network.appendTarget();
  return network;
}

/** One whose round is logged, with every operator committed. */
function committed() {
  const network = prepared();
  const round = network.roundFor();
  network.appendRound(round);
  const results = names.map((name) => network.signResult(name, { round }));
  for (const result of results) network.commit(result);
  return { network, round, results };
}

async function refusalOf(network: TestNetwork): Promise<ReplayError> {
  const error = await replayed(network).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof ReplayError)) throw new Error("the replay found nothing", { cause: error });
  return error;
}

describe("a log that keeps the rules", () => {
  test("replays, and gives its verdicts and its roots", async () => {
    const network = new TestNetwork();
    network.rebuild();
    const replay = await replayed(network);
    const { entries, verdicts } = replay.report();
    expect(entries).toBe(network.entries.length);
    expect(verdicts).toMatchObject([{ index: network.entries.length - 1, verdict: { outcome: "reproduced", dissent: [] } }]);
    expect(replay.rootAt(5)).toEqual(network.tree.rootAt(5));
  });

  test("may hold dissent, forged traces, failures and results that come after the verdict", async () => {
    const network = new TestNetwork();
    network.rebuild(names, (name) => {
      if (name === "ada") return { failure: "timeout" };
      return name === "bert" ? { trace: forged, digest: "evil" } : {};
    });
    const { verdicts } = (await replayed(network)).report();
    expect(verdicts[0]?.verdict.outcome).toBe("inconclusive");
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
    const { verdicts } = (await replayed(network)).report();
    expect(verdicts.map(({ verdict }) => verdict.outcome)).toEqual(["failed", "reproduced"]);
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
    const { verdicts } = (await replayed(network)).report();
    expect(verdicts[0]?.verdict.inputs.map(({ standing }) => standing)).toEqual(["counted", "counted", "not-committed"]);
  });
});

describe("a log that breaks a rule is refused at that entry, by the rule's name", () => {
  const broken: [string, ReplayRule, RegExp, () => TestNetwork][] = [
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
      "a policy that another key signed",
      "signature",
      /not signed by the network/,
      () => {
        const network = new TestNetwork();
        network.append({ kind: "policy", policy: network.policy }, [portableSignerOf("ada")]);
        return network;
      },
    ],
    [
      "an enrolment without the network's countersignature",
      "signature",
      /not signed by the operator and then the network/,
      () => {
        const network = new TestNetwork();
        const ada = portableSignerOf("ada");
        network.append({ kind: "operator", predicate: enrolmentOf(ada) }, [ada]);
        return network;
      },
    ],
    [
      "an enrolment that only the network signed",
      "signature",
      /not signed by the operator and then the network/,
      () => {
        const network = new TestNetwork();
        network.append({ kind: "operator", predicate: enrolmentOf(portableSignerOf("ada")) }, [network.networkKey, network.networkKey]);
        return network;
      },
    ],
    [
      "an operator id that is not its key's",
      "signature",
      /names a key whose id is/,
      () => {
        const network = new TestNetwork();
        network.enrol("ada", { operator: operatorNamed("bert") });
        return network;
      },
    ],
    [
      "the network key enrolled as an operator",
      "signature",
      /the network may make no rebuild claim/,
      () => {
        const network = new TestNetwork();
        network.append({ kind: "operator", predicate: enrolmentOf(network.networkKey) }, [network.networkKey, network.networkKey]);
        return network;
      },
    ],
    [
      "a commitment that the network signed",
      "signature",
      /the network signed it, and the network may make no rebuild claim/,
      () => {
        const { network, results } = withRound();
        network.commit({ ...results[0], signer: { ...results[0].signer, sign: network.networkKey.sign } });
        return network;
      },
    ],
    [
      "a result that another operator signed",
      "signature",
      /a result: it is not signed by operator/,
      () => {
        const { network, round } = committed();
        const { result } = network.signResult("ada", { round });
        network.append({ kind: "result", result }, [portableSignerOf("bert")]);
        return network;
      },
    ],
    [
      "a commitment of an operator that never enrolled",
      "signature",
      /was not enrolled before it/,
      () => {
        const { network, round } = withRound();
        network.commit(network.signResult("eve", { round }));
        return network;
      },
    ],
    [
      "a revocation that a third party signed",
      "signature",
      /not signed by the network or the operator/,
      () => {
        const network = prepared();
        const predicate = { action: "revoke", operator: operatorNamed("ada"), reason: "envy" } as const;
        network.append({ kind: "operator", predicate }, [portableSignerOf("bert")]);
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
      "a round of a target that was not logged",
      "target",
      /which was not logged before it/,
      () => {
        const network = prepared();
        network.appendRound({ ...network.roundFor(), target: digestOf("unknown") });
        return network;
      },
    ],
    [
      "a round under a policy that was not logged",
      "policy",
      /which was not logged before it/,
      () => {
        const network = prepared();
        network.appendRound({ ...network.roundFor(), policy: digestOf("unknown") });
        return network;
      },
    ],
    [
      "a second attempt before the first",
      "attempt",
      /attempt 1 was not logged/,
      () => {
        const network = prepared();
        network.appendRound(network.roundFor(sampleTarget, 2));
        return network;
      },
    ],
    [
      "a seed that lacks the target",
      "seed",
      /the tree of 4, which lacks the target's entry 4/,
      () => {
        const network = prepared();
        network.appendRound({ ...network.roundFor(), seed: { size: 4, rootSha256: digestOf("root") } });
        return network;
      },
    ],
    [
      "a seed from the future",
      "seed",
      /the tree of 6, which did not exist/,
      () => {
        const network = prepared();
        network.appendRound({ ...network.roundFor(), seed: { size: 6, rootSha256: digestOf("root") } });
        return network;
      },
    ],
    [
      "a seed with another root",
      "seed",
      /names root .* and its root is/,
      () => {
        const network = prepared();
        network.appendRound({ ...network.roundFor(), seed: { size: 5, rootSha256: digestOf("root") } });
        return network;
      },
    ],
    [
      "a committee that was chosen",
      "committee",
      /and the seed draws/,
      () => {
        const network = prepared();
        const round = network.roundFor();
        network.appendRound({ ...round, committee: round.committee.toReversed() });
        return network;
      },
    ],
    [
      "stand-ins in another order",
      "committee",
      /the stand-ins are not those drawn/,
      () => {
        const network = new TestNetwork({ committeeSize: 1 });
        network.appendPolicy();
        for (const name of names) network.enrol(name);
        network.appendTarget();
        const round = network.roundFor();
        network.appendRound({ ...round, standIns: round.standIns.toReversed() });
        return network;
      },
    ],
    [
      "a committee with an operator that had been revoked",
      "committee",
      /and the seed draws/,
      () => {
        const network = prepared();
        const stale = network.roundFor();
        network.revoke("ada");
        network.appendRound({ ...stale, seed: network.roundFor().seed });
        return network;
      },
    ],
    [
      "a round that is logged again with another committee",
      "stand-ins",
      /more has changed than the stand-ins called/,
      () => {
        const { network, round } = withRound();
        network.appendRound({ ...round, committee: round.committee.slice(1), standInsCalled: 1 });
        return network;
      },
    ],
    [
      "more stand-ins called than there are",
      "stand-ins",
      /calls 1 stand-ins of 0/,
      () => {
        const { network, round } = withRound();
        network.appendRound({ ...round, standInsCalled: 1 });
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
    [
      "a verdict whose outcome is not what the evidence gives",
      "verdict",
      /it says reproduced, and its evidence says mismatch/,
      () => {
        const { network, round } = revealed("evil");
        network.appendVerdict(network.verdictOf(round, { outcome: "reproduced" }));
        return network;
      },
    ],
    [
      "a verdict that leaves a result out",
      "verdict",
      /leaves out the result at index 9/,
      () => {
        const { network, round } = revealed();
        const verdict = network.verdictOf(round);
        network.appendVerdict({ ...verdict, inputs: verdict.inputs.slice(1) });
        return network;
      },
    ],
    [
      "a verdict on a result that is not there",
      "verdict",
      /names a result at index 2/,
      () => {
        const { network, round } = revealed();
        const verdict = network.verdictOf(round);
        const [input] = verdict.inputs;
        if (input === undefined) throw new Error("an input");
        network.appendVerdict({ ...verdict, inputs: [{ ...input, index: 2 }, ...verdict.inputs] });
        return network;
      },
    ],
    [
      "a verdict that names a dissenter who is none",
      "verdict",
      /its dissent are not those/,
      () => {
        const { network, round } = revealed();
        network.appendVerdict(network.verdictOf(round, { dissent: [operatorNamed("ada")] }));
        return network;
      },
    ],
    [
      "a verdict that discounts a result",
      "verdict",
      /lists the result at index 9 as traceless, and it is counted/,
      () => {
        const { network, round } = revealed();
        const verdict = network.verdictOf(round);
        const inputs = verdict.inputs.map((input, position) => (position === 0 ? { ...input, standing: "traceless" as const } : input));
        network.appendVerdict({ ...verdict, inputs });
        return network;
      },
    ],
    [
      "a verdict about another target than its round's",
      "target",
      /and its round is not/,
      () => {
        const { network, round } = revealed();
        network.appendVerdict(network.verdictOf(round, { target: digestOf("another") }));
        return network;
      },
    ],
    [
      "a verdict under another policy than its round's",
      "policy",
      /and its round is not/,
      () => {
        const { network, round } = revealed();
        network.appendVerdict(network.verdictOf(round, { policy: digestOf("another") }));
        return network;
      },
    ],
    [
      "a verdict that replaces what is no verdict",
      "verdict",
      /supersedes entry 1, and the newest verdict on its target is none/,
      () => {
        const { network, round } = revealed();
        network.appendVerdict(network.verdictOf(round, { supersedes: 1 }));
        return network;
      },
    ],
    [
      "a second verdict of one round",
      "unique",
      /earlier entry for verdict\//,
      () => {
        const { network, round } = revealed();
        network.appendVerdict(network.verdictOf(round));
        network.appendVerdict(network.verdictOf(round));
        return network;
      },
    ],
    [
      "a verdict whose build traces are not to be had",
      "trace",
      /build trace .* of operator .* is not to be had/,
      () => {
        const { network, round } = revealed();
        network.appendVerdict(network.verdictOf(round));
        network.blobs.clear();
        return network;
      },
    ],
    [
      "a verdict whose build traces were changed",
      "trace",
      /has other bytes/,
      () => {
        const { network, round } = revealed();
        network.appendVerdict(network.verdictOf(round));
        for (const digest of network.blobs.keys()) network.blobs.set(digest, utf8("changed"));
        return network;
      },
    ],
  ];

  test.each(broken)("%s: %s", async (_, rule, reason, make) => {
    const network = make();
    const error = await refusalOf(network);
    expect(error.rule).toBe(rule);
    expect(error.index).toBe(network.entries.length - 1);
    expect(error.message).toMatch(reason);
    expect(error.message).toContain(`replaying entry ${error.index}: `);
  });

  test("an entry out of order: index", async () => {
    const network = prepared();
    const replay = createReplay({ networkKey: network.networkKey.spki, loadBlob: async () => undefined });
    const [bytes = new Uint8Array(0)] = network.entries;
    await expect(replay.add({ index: 1, bytes })).rejects.toThrow(/replaying entry 1: the entry after -1 was expected/);
  });
});

test("a result whose trace is not what its signed summary says counts as without a trace, and is no fault of the network", async () => {
  const { network, round } = withRound();
  const ada = network.signResult("ada", { round, result: { trace: { rootSha256: digestOf("another root"), files: honestTrace.length } } });
  const others = ["bert", "cyd"].map((name) => network.signResult(name, { round }));
  for (const result of [ada, ...others]) network.commit(result);
  for (const { bytes } of [ada, ...others]) network.appendBytes(bytes);
  network.appendVerdict(network.verdictOf(round));
  const { verdicts } = (await replayed(network)).report();
  expect(verdicts[0]?.verdict.inputs.map(({ standing }) => standing)).toEqual(["uncorroborated", "counted", "counted"]);
});

function withRound() {
  const network = prepared();
  const round = network.roundFor();
  network.appendRound(round);
  const result = network.signResult("ada", { round });
  return { network, round, results: [result] as const };
}

function revealed(digest?: string) {
  const network = prepared();
  const round = network.roundFor();
  network.appendRound(round);
  const results = names.map((name) => network.signResult(name, { round, ...(digest === undefined ? {} : { digest }) }));
  for (const result of results) network.commit(result);
  for (const { bytes } of results) network.appendBytes(bytes);
  return { network, round };
}
