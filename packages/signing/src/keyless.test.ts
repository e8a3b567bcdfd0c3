import { generateKeyPairSync } from "node:crypto";
import { formatCertifiedSignature, parseCertifiedSignature } from "@quorate/attestation/certified-signature";
import { pae } from "@quorate/attestation/dsse";
import { formatKeylessIdentity } from "@quorate/attestation/identity";
import { formatStatement } from "@quorate/attestation/log-statement";
import { sampleBuilt } from "@quorate/attestation/nouns.fixture";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatBundle } from "./bundle.ts";
import { createKeylessSigner } from "./keyless-signer.ts";
import { createKeylessVerifier } from "./keyless-verifier.ts";
import type { OperatorSigner } from "./operator-signer.ts";
import { p256SignerOf } from "./p256-key.ts";
import { startSigstore, type TestSigstore, tokenOf } from "./sigstore.fixture.ts";
import { loadVerifier } from "./verifier.ts";

const ada = { issuer: "https://token.example", subject: "https://git.example/ada/rebuilder" };
const message = utf8("what Ada says");
const owned = new AsyncDisposableStack();
let sigstore: TestSigstore;
let signature: Uint8Array;

function signerOf(at: TestSigstore, { claims = ada, identity = ada, getToken = async () => tokenOf(claims) } = {}): OperatorSigner {
  return createKeylessSigner({ ...identity, fulcioUrl: at.url, timestampUrl: at.url, getToken });
}

beforeAll(async () => {
  sigstore = owned.use(await startSigstore());
  signature = await signerOf(sigstore).sign(message);
});
afterAll(() => owned.disposeAsync());

const verify = (given: Uint8Array, { identity = ada, signed = message, root = sigstore.trustedRoot } = {}): boolean =>
  createKeylessVerifier(root)(formatKeylessIdentity(identity), signed, given);

describe("a keyless signature", () => {
  test("verifies offline, by the certificate that names its identity and the timestamp that is within it", async () => {
    expect(verify(signature)).toBe(true);
    expect(signerOf(sigstore).operator).toMatch(/^[0-9a-f]{32}$/);
  });

  test("is made with a new key each time", async () => {
    const again = await signerOf(sigstore).sign(message);
    expect(parseCertifiedSignature(again).certificate).not.toEqual(parseCertifiedSignature(signature).certificate);
  });

  test("of another issuer is refused", () => {
    const identity = { ...ada, issuer: "https://other.example" };
    expect(() => verify(signature, { identity })).toThrow(/issuer https:\/\/token\.example, not of https:\/\/other\.example/);
  });

  test("of another subject is refused, also of one that a pattern would match", () => {
    const reason = /certificate is for https:\/\/git\.example\/ada\/rebuilder, not for/;
    expect(() => verify(signature, { identity: { ...ada, subject: "https://git.example/eve/rebuilder" } })).toThrow(reason);
    expect(() => verify(signature, { identity: { ...ada, subject: "https://git.example/.*" } })).toThrow(reason);
  });

  test("of another message is refused", () => {
    expect(() => verify(signature, { signed: utf8("what Ada never said") })).toThrow(/signature verification failed/);
  });

  test("by a certificate of another authority is refused", async () => {
    await using other = await startSigstore();
    const foreign = await signerOf(other).sign(message);
    const { certificate, signature: raw } = parseCertifiedSignature(foreign);
    const { timestamp } = parseCertifiedSignature(signature);
    expect(() => verify(foreign)).toThrow(/timestamp could not be verified/);
    // With a certificate authority that the reader does not know, and a timestamp authority that the reader does.
    const mixed = { ...JSON.parse(other.trustedRoot), certificateAuthorities: JSON.parse(sigstore.trustedRoot).certificateAuthorities };
    expect(() => verify(foreign, { root: JSON.stringify(mixed) })).toThrow(/no valid certificate path found/);
    expect(() => verify(formatCertifiedSignature({ certificate, signature: raw, timestamp }))).toThrow(/timestamp could not be verified/);
  });

  test("by a certificate that had expired when it was made is refused", async () => {
    await using late = await startSigstore(3600);
    const expired = await signerOf(late).sign(message);
    expect(() => verify(expired, { root: late.trustedRoot })).toThrow(/certificate is not valid or expired at the specified date/);
  });

  test("without a timestamp is refused", () => {
    const bare = formatCertifiedSignature({ ...parseCertifiedSignature(signature), timestamp: new Uint8Array() });
    expect(() => verify(bare)).toThrow(/it has no timestamp, so nothing shows that its certificate was valid/);
  });

  test("is refused by who has no trusted root, and nothing is fetched for it", async () => {
    const verifyKeys = await loadVerifier(undefined);
    expect(() => verifyKeys(formatKeylessIdentity(ada), message, signature)).toThrow(
      /no trusted root .* says which certificates to believe/,
    );
  });

  test("is verified beside those of keys", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const bert = p256SignerOf(privateKey);
    const verifyBoth = await loadVerifier(sigstore.trustedRoot);
    expect(verifyBoth(formatKeylessIdentity(ada), message, signature)).toBe(true);
    expect(verifyBoth(bert.spki, message, bert.sign(message))).toBe(true);
    expect(verifyBoth(bert.spki, message, signature)).toBe(false);
  });

  test.each([utf8(""), utf8("{}"), Uint8Array.of(0x30, 0), utf8('{ "certificate":"","signature":"","timestamp":"" }')])(
    "of other bytes (%#) is refused",
    (bytes) => expect(() => verify(bytes)).toThrow(/certified signature/),
  );

  test("is a bundle that Sigstore's readers verify", async () => {
    const payload = formatStatement({ kind: "result", result: sampleBuilt });
    const signatures = [await signerOf(sigstore).sign(pae(payload))];
    const bundle = JSON.parse(formatBundle({ payload, signatures }, formatKeylessIdentity(ada)));
    expect(bundle.verificationMaterial).toMatchObject({
      certificate: { rawBytes: expect.any(String) },
      timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: expect.any(String) }] },
    });
    expect(bundle.dsseEnvelope.signatures).toEqual([{ sig: expect.any(String) }]);
  });
});

test("a token that is none is refused without being shown", async () => {
  const signing = signerOf(sigstore, { getToken: async () => "secret-that-is-no-token" }).sign(message);
  const error: unknown = await Promise.resolve(signing).catch((caught: unknown) => caught);
  expect(String(error) + String(error instanceof Error ? error.cause : "")).toMatch(/no JSON Web Token/);
  expect(JSON.stringify([String(error), error instanceof Error && String(error.cause)])).not.toContain("secret-that");
});

test("what is no trusted root is refused when it is read", () => {
  expect(() => createKeylessVerifier("{")).toThrow(ParseError);
  expect(() => createKeylessVerifier('{"tlogs":3}')).toThrow(ParseError);
});
