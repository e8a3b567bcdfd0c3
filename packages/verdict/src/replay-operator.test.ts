import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { formatBase64 } from "@quorate/tlog/base64";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { enrolledOf, isEnrolledAt, keysAt } from "./enrolled.ts";
import { TestNetwork, operatorNamed } from "./network.fixture.ts";
import { type Broken, names, prepared, refusalAtEnd, replayed } from "./replay.fixture.ts";

describe("an operator that changes its key", () => {
  test("is the same operator, and signs with the new key from then on", async () => {
    const network = prepared();
    network.rotate("ada", "ada's second key");
    const round = network.roundFor();
    network.appendRound(round);
    const results = names.map((name) => network.signResult(name, { round, key: name === "ada" ? "ada's second key" : name }));
    for (const result of results) network.commit(result);
    for (const { bytes } of results) network.appendBytes(bytes);
    network.appendVerdict(network.verdictOf(round));
    const [last] = (await replayed(network)).verdicts;
    expect(last?.outcome).toBe("reproduced");
    expect(last?.inputs.map(({ operator }) => operator)).toContain(operatorNamed("ada"));
  });

  const broken: Broken[] = [
    ["to the key of another operator", "key", /is or was operator/, () => changed((network) => network.rotate("ada", "bert"))],
    [
      "back to a key that it had",
      "key",
      /is or was operator/,
      () =>
        changed((network) => {
          network.rotate("ada", "ada's second key");
          network.rotate("ada", "ada", { from: "ada's second key" });
        }),
    ],
    [
      "once more with the same statement",
      "signature",
      /not signed by the old key/,
      () =>
        changed((network) => {
          const index = network.rotate("ada", "ada's second key");
          network.appendBytes(network.entries[index] ?? new Uint8Array());
        }),
    ],
    [
      "after it was revoked",
      "key",
      /was revoked by entry/,
      () =>
        changed((network) => {
          network.revoke("ada");
          network.rotate("ada", "ada's second key");
        }),
    ],
    [
      "and whose second key enrols as another operator",
      "key",
      /is or was operator/,
      () =>
        changed((network) => {
          network.rotate("ada", "eve");
          network.enrol("eve");
        }),
    ],
  ];

  test.each(broken)("%s: %s", async (_, rule, reason, make) => {
    expect(await refusalAtEnd(make())).toMatchObject({ rule, message: expect.stringMatching(reason) });
  });
});

test("at any index an operator has exactly the keys of its newest change before it, until it is revoked", () => {
  const changes = fc.array(fc.constantFrom("key", "both keys", "nothing"), { maxLength: 12 });
  fc.assert(
    fc.property(changes, fc.option(fc.nat(14)), (kinds, revokedAfter) => {
      const network = new TestNetwork();
      network.enrol("ada", { linkKey: linkKeyOf(0) });
      const expected = [{ since: 0, identityKey: "ada", link: 0 }];
      for (const [position, kind] of kinds.entries()) {
        const before = expected.at(-1) ?? { since: 0, identityKey: "ada", link: 0 };
        if (position === revokedAfter) network.revoke("ada");
        if (kind === "nothing") network.enrol(`other ${position}`);
        else {
          const to = `key ${position}`;
          const since = network.rotate("ada", to, kind === "both keys" ? { linkKey: linkKeyOf(position + 1) } : {});
          const isHeard = revokedAfter === null || position < revokedAfter;
          if (isHeard) expected.push({ since, identityKey: to, link: kind === "both keys" ? position + 1 : before.link });
        }
      }
      const ada = enrolledOf(network.logged()).get(operatorNamed("ada"));
      if (!ada) throw new Error("Ada is enrolled");
      for (let index = 1; index <= network.entries.length; index += 1) {
        const then = expected.findLast(({ since }) => since < index);
        const identityKey = formatBase64(portableSignerOf(then?.identityKey ?? "").spki);
        expect(keysAt(ada, index)).toEqual({ identityKey, linkKey: linkKeyOf(then?.link ?? 0) });
        expect(isEnrolledAt(ada, index)).toBe(ada.revokedAt === undefined || index <= ada.revokedAt);
      }
      expect(keysAt(ada)).toEqual(keysAt(ada, network.entries.length));
    }),
    { numRuns: 50 },
  );
});

function linkKeyOf(position: number): string {
  return formatBase64(new Uint8Array(32).fill(position));
}

function changed(change: (network: TestNetwork) => void): TestNetwork {
  const network = prepared();
  change(network);
  return network;
}
