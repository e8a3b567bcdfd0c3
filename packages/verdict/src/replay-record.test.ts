import { isHashedRekord } from "@quorate/attestation/hashed-rekord";
import { describe, expect, test } from "vitest";
import { type Broken, committed, refusalAtEnd, replayed } from "./replay.fixture.ts";

function recorded() {
  const { network, round, results } = committed();
  for (const result of results) network.appendBytes(result.bytes);
  const [first, ...others] = results;
  if (first === undefined) throw new Error("nobody has a result");
  return { network, round, first, others };
}

describe("records of results' signatures", () => {
  test("follow their results, before the verdict and after it", async () => {
    const { network, round, first, others } = recorded();
    network.appendRecord(first);
    network.append({ kind: "verdict", verdict: network.verdictOf(round) });
    for (const result of others) network.appendRecord(result);
    expect(network.entries.filter(isHashedRekord)).toHaveLength(3);
    const { verdicts, report } = await replayed(network);
    expect(verdicts).toMatchObject([{ outcome: "reproduced" }]);
    expect(report().entries).toBe(network.entries.length);
  });

  const broken: Broken[] = [
    [
      "one that is logged twice",
      "record",
      /logged twice/,
      () => {
        const { network, first } = recorded();
        network.appendRecord(first);
        network.appendRecord(first);
        return network;
      },
    ],
    [
      "one before its result",
      "record",
      /of no signature of a result before it/,
      () => {
        const { network, results } = committed();
        for (const result of results.slice(0, 1)) network.appendRecord(result);
        return network;
      },
    ],
    [
      "one that names another's key",
      "record",
      /of no signature of a result before it/,
      () => {
        const { network, first } = recorded();
        network.appendRecord({ ...first, signer: { ...first.signer, spki: network.networkKey.spki } });
        return network;
      },
    ],
    [
      "one of a signature over the same result that its operator did not reveal",
      "record",
      /of no signature of a result before it/,
      () => {
        const { network, round } = recorded();
        network.appendRecord(network.signResult("ada", { round, result: { nonce: "00".repeat(16) } }));
        return network;
      },
    ],
  ];

  test.each(broken)("%s: %s", async (_, rule, reason, make) => {
    expect(await refusalAtEnd(make())).toMatchObject({ rule, message: expect.stringMatching(reason) });
  });
});
