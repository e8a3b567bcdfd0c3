import { p256 } from "@noble/curves/nist.js";
import { ParseError } from "@quorate/protocol/parse-error";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { VerificationError } from "@quorate/tlog/verification-error";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatEnvelope, inTotoPayloadType, pae, parseEnvelope, verifyEnvelope } from "./dsse.ts";
import { portableSignerOf } from "./portable-signer.fixture.ts";
import { verifyP256Portable } from "./portable-p256.ts";

const ada = portableSignerOf("ada");
const bert = portableSignerOf("bert");
const payload = utf8("{}");
const signed = { payload, signatures: [ada.sign(pae(payload))] };

describe("DSSE envelopes", () => {
  test("the pre-authentication encoding is the specification's", () => {
    expect(textOf(pae(utf8('{"a":1}')))).toBe(`DSSEv1 28 ${inTotoPayloadType} 7 {"a":1}`);
  });

  test("any payload and signatures survive formatting and parsing", () => {
    const bytes = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(bytes, fc.array(bytes, { minLength: 1, maxLength: 4 }), (payload, signatures) => {
        expect(parseEnvelope(formatEnvelope({ payload, signatures }))).toEqual({ payload, signatures });
      }),
    );
  });

  test.each([
    '{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}',
    '{"payload":"e30=","payloadType":"application/json","signatures":[{"sig":"AA=="}]}',
    '{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"AA=="}]}',
    '{"payload":"e30","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}',
    '{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AB=="}]}',
    '{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}',
    '{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}\n',
    '{"payload":"e30=","payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}',
    `{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[${Array(5).fill('{"sig":"AA=="}').join()}]}`,
    `{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"${"A".repeat(38_004)}"}]}`,
    '{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":',
    "[]",
    "",
  ])("%s is refused", (text) => {
    expect(() => parseEnvelope(utf8(text))).toThrow(ParseError);
  });

  test("bytes that are not UTF-8 are refused", () => {
    expect(() => parseEnvelope(Uint8Array.of(0xff))).toThrow(ParseError);
  });
});

describe("signatures of an envelope", () => {
  test("verify by the key that made them", () => {
    expect(verifyEnvelope(signed, [ada.spki], verifyP256Portable)).toEqual(payload);
  });

  test("a high s, as OpenSSL makes half of the time, verifies", () => {
    const { r, s } = p256.Signature.fromBytes(ada.sign(pae(payload)), "der");
    const high = new p256.Signature(r, p256.Point.Fn.ORDER - s);
    expect(verifyEnvelope({ payload, signatures: [high.toBytes("der")] }, [ada.spki], verifyP256Portable)).toEqual(payload);
  });

  test.each([
    ["another key", signed, [bert.spki], /signature 1 is not by the key/],
    ["another payload", { ...signed, payload: utf8("{ }") }, [ada.spki], /signature 1/],
    ["a signature missing", signed, [ada.spki, bert.spki], /1 signatures, not 2/],
    ["a surplus signature", { payload, signatures: [...signed.signatures, ...signed.signatures] }, [ada.spki], /2 signatures, not 1/],
    [
      "one party in both places",
      { payload, signatures: [...signed.signatures, ...signed.signatures] },
      [ada.spki, bert.spki],
      /signature 2/,
    ],
    ["no key", { payload, signatures: [] }, [], /no key/],
    ["a key of another kind", signed, [utf8("key")], /signature 1/],
  ])("with %s they are refused", (_, envelope, keys, reason) => {
    const check = () => verifyEnvelope(envelope, keys, verifyP256Portable);
    expect(check).toThrow(VerificationError);
    expect(check).toThrow(reason);
  });
});
