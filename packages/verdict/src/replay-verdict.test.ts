import { digestOf } from "@quorate/attestation/nouns.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { describe, expect, test } from "vitest";
import { honestTrace, operatorNamed } from "./network.fixture.ts";
import { type Broken, refusalAtEnd, replayed, revealed, withRound } from "./replay.fixture.ts";

describe("a verdict that its evidence does not give is refused", () => {
  const broken: Broken[] = [
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
    expect(await refusalAtEnd(make())).toMatchObject({ rule, message: expect.stringMatching(reason) });
  });
});

test("a result whose trace is not what its signed summary says counts as without a trace, and is no fault of the network", async () => {
  const { network, round } = withRound();
  const ada = network.signResult("ada", { round, result: { trace: { rootSha256: digestOf("another root"), files: honestTrace.length } } });
  const others = ["bert", "cyd"].map((name) => network.signResult(name, { round }));
  for (const result of [ada, ...others]) network.commit(result);
  for (const { bytes } of [ada, ...others]) network.appendBytes(bytes);
  network.appendVerdict(network.verdictOf(round));
  const { verdicts } = await replayed(network);
  expect(verdicts[0]?.inputs.map(({ standing }) => standing)).toEqual(["uncorroborated", "counted", "counted"]);
});
