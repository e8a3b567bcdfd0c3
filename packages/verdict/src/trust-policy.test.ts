import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { ParseError } from "@quorate/protocol/parse-error";
import { formatBase64 } from "@quorate/tlog/base64";
import { describe, expect, test } from "vitest";
import { TestNetwork } from "./network.fixture.ts";
import { formatTrustPolicy, parseTrustPolicy } from "./trust-policy.ts";

const policy = new TestNetwork().trustPolicy();
const text = formatTrustPolicy(policy);
const keyOf = (name: string) => formatBase64(portableSignerOf(name).spki);

describe("trust policies", () => {
  test("a policy survives formatting and parsing", () => {
    expect(parseTrustPolicy(text)).toEqual(policy);
  });

  test("comments, empty lines and any order of lines are read", () => {
    const lines = text.trimEnd().split("\n");
    const own = lines.filter((line) => /^(?:network|operator|threshold)/.test(line)).toReversed();
    const tlog = lines.filter((line) => !own.includes(line));
    expect(parseTrustPolicy(`# mine\n\n${own.join("\n")}\n  # theirs\n${tlog.join("\n")}\n`)).toEqual({
      ...policy,
      operators: policy.operators.toReversed(),
    });
  });

  test.each([
    ["no network", (from: string) => from.replace(/^network .*\n/m, ""), /with a network line/],
    ["a second network", (from: string) => `${from}network two ${keyOf("eve")}\n`, /a second network/],
    ["no threshold", (from: string) => from.replace(/^threshold .*\n/m, ""), /with a threshold line/],
    ["a second threshold", (from: string) => `${from}threshold 1\n`, /a second threshold/],
    ["a threshold of zero", (from: string) => from.replace("threshold 2", "threshold 0"), /between 1 and its number/],
    ["a threshold that cannot be met", (from: string) => from.replace("threshold 2", "threshold 4"), /between 1 and its number/],
    ["a threshold of 02", (from: string) => from.replace("threshold 2", "threshold 02"), /threshold of a trust policy/],
    ["an operator twice", (from: string) => `${from}operator again ${keyOf("ada")}\n`, /its key is on a line before/],
    ["two operators of one name", (from: string) => `${from}operator ada ${keyOf("eve")}\n`, /its name is on a line before/],
    ["the network as an operator", (from: string) => `${from}operator network ${keyOf("network")}\n`, /the network is no operator/],
    ["an operator without a key", (from: string) => `${from}operator eve\n`, /a name and a key/],
    ["a key of another kind", (from: string) => `${from}operator eve AAAA\n`, /P-256 public key/],
    ["an unknown line", (from: string) => `${from}trust everybody\n`, /witness policy line/],
    ["no quorum of witnesses", (from: string) => from.replace(/^quorum .*\n/m, ""), /quorum/],
    ["a missing newline", (from: string) => from.trimEnd(), /ends in a newline/],
  ])("%s is refused", (_, change, reason) => {
    expect(change(text)).not.toBe(text);
    expect(() => parseTrustPolicy(change(text))).toThrow(ParseError);
    expect(() => parseTrustPolicy(change(text))).toThrow(reason);
  });
});
