import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import type { Rotation } from "@quorate/protocol/operator";
import { formatBase64 } from "@quorate/tlog/base64";
import { describe, expect, test } from "vitest";
import { TestNetwork, enrolmentOf, operatorNamed } from "./network.fixture.ts";
import { type Broken, committed, refusalAtEnd, prepared, withRound } from "./replay.fixture.ts";

describe("an entry that is not signed by whom it must be is refused", () => {
  const broken: Broken[] = [
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
      "a change of keys without the new key's signature",
      "signature",
      /not signed by the old key, the new one and then the network/,
      () => {
        const network = prepared();
        network.append({ kind: "operator", predicate: rotationTo("eve") }, [portableSignerOf("ada"), network.networkKey]);
        return network;
      },
    ],
    [
      "a change of keys without the old key's signature",
      "signature",
      /not signed by the old key, the new one and then the network/,
      () => {
        const network = prepared();
        const eve = portableSignerOf("eve");
        network.append({ kind: "operator", predicate: rotationTo("eve") }, [eve, eve, network.networkKey]);
        return network;
      },
    ],
    [
      "a change of keys that the network has not admitted",
      "signature",
      /not signed by the old key, the new one and then the network/,
      () => {
        const network = prepared();
        network.append({ kind: "operator", predicate: rotationTo("eve") }, [portableSignerOf("ada"), portableSignerOf("eve")]);
        return network;
      },
    ],
    [
      "a change to the network's key",
      "signature",
      /the network may make no rebuild claim/,
      () => {
        const network = prepared();
        network.rotate("ada", "network");
        return network;
      },
    ],
    [
      "a result that the old key signed before the change",
      "signature",
      /a result: it is not signed by operator/,
      () => {
        const { network, results } = withRound();
        network.commit(results[0]);
        network.rotate("ada", "ada's second key");
        network.appendBytes(results[0].bytes);
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
  ];

  test.each(broken)("%s: %s", async (_, rule, reason, make) => {
    expect(await refusalAtEnd(make())).toMatchObject({ rule, message: expect.stringMatching(reason) });
  });
});

function rotationTo(name: string): Rotation {
  return { action: "rotate", operator: operatorNamed("ada"), identityKey: formatBase64(portableSignerOf(name).spki) };
}
