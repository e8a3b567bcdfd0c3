import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { describe, expect, test } from "vitest";
import { TestNetwork } from "./network.fixture.ts";
import { type Broken, refusalAtEnd, names, prepared, withRound } from "./replay.fixture.ts";

describe("a round that breaks a rule is refused, by the rule's name", () => {
  const broken: Broken[] = [
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
      "a round under a policy that another has replaced",
      "policy",
      /under policy version 1, and version 2 is in force/,
      () => {
        const network = prepared();
        network.appendPolicy({ ...network.policy, version: 2, threshold: 3 });
        network.appendRound();
        return network;
      },
    ],
    [
      "a policy that leaves a version out",
      "policy",
      /the policy is version 3, and the one before it is version 1/,
      () => {
        const network = prepared();
        network.appendPolicy({ ...network.policy, version: 3 });
        return network;
      },
    ],
    [
      "a first policy that is no first version",
      "policy",
      /the policy is version 2, and the one before it is none/,
      () => {
        const network = new TestNetwork({ version: 2 });
        network.appendPolicy();
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
  ];

  test.each(broken)("%s: %s", async (_, rule, reason, make) => {
    expect(await refusalAtEnd(make())).toMatchObject({ rule, message: expect.stringMatching(reason) });
  });
});
