import { createHash, generateKeyPairSync } from "node:crypto";
import { formatEnvelope } from "@quorate/attestation/dsse";
import { parseEntry } from "@quorate/attestation/log-statement";
import { sampleBuilt } from "@quorate/attestation/nouns.fixture";
import { ParseError } from "@quorate/protocol/parse-error";
import { VerificationError } from "@quorate/tlog/verification-error";
import { describe, expect, test } from "vitest";
import { bundleMediaType, formatBundle, verifyBundle } from "./bundle.ts";
import { countersign, signStatement } from "./envelope.ts";
import { p256SignerOf } from "./p256-key.ts";

const [ada, bert] = [newSigner(), newSigner()];
const statement = { kind: "result", result: sampleBuilt } as const;
const { envelope } = parseEntry(signStatement(statement, [ada]));
const bundle = formatBundle(envelope, ada.spki);

describe("Sigstore bundles", () => {
  test("a result's bundle verifies by its operator's key, and gives the result", () => {
    expect(verifyBundle(bundle, ada.spki)).toEqual(statement);
  });

  test("is of version 0.3, names its key, and has no key id, which cosign would refuse", () => {
    const parsed = JSON.parse(bundle);
    expect(parsed.mediaType).toBe(bundleMediaType);
    expect(parsed.verificationMaterial.publicKey.hint).toBe(createHash("sha256").update(ada.spki).digest("base64"));
    expect(parsed.dsseEnvelope.signatures).toEqual([{ sig: Buffer.from(envelope.signatures[0] ?? []).toString("base64") }]);
  });

  test.each([
    ["another key", bundle, bert.spki],
    ["a changed payload", bundle.replace(/"payload":"(.{40})./, '"payload":"$1A'), ada.spki],
    ["another's signature", formatBundle({ ...envelope, signatures: [bert.sign(envelope.payload)] }, ada.spki), ada.spki],
  ])("with %s is refused", (_, text, spki) => {
    expect(() => verifyBundle(text, spki)).toThrow(VerificationError);
  });

  test("with what is no trusted root it is the root that is refused", () => {
    expect(() => verifyBundle(bundle, ada.spki, "{}")).toThrow(/trusted root of Sigstore/);
  });

  test.each(["", "{}", "[]", new TextDecoder().decode(formatEnvelope(envelope))])("%s is no bundle", (text) => {
    expect(() => verifyBundle(text, ada.spki)).toThrow(ParseError);
  });

  test("an envelope of two signatures makes no bundle, since readers would verify only the first", () => {
    const two = parseEntry(countersign(signStatement(statement, [ada]), bert));
    expect(() => formatBundle(two.envelope, ada.spki)).toThrow(/2 signatures, not one/);
  });
});

function newSigner() {
  return p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
}
