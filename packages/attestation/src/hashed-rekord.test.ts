import { createHash, verify as verifyBytes, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatCertifiedSignature } from "./certified-signature.ts";
import { formatEnvelope, pae } from "./dsse.ts";
import { formatHashedRekord, hashedRekordOf, isHashedRekord, parseHashedRekord } from "./hashed-rekord.ts";
import { formatKeylessIdentity } from "./identity.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
const payload = utf8("{}");
const signature = new Uint8Array(sign("sha256", pae(payload), privateKey));
const body = formatHashedRekord(hashedRekordOf({ payload, signatures: [signature] }, spki, portableHasher));

test("the record is of the envelope's encoding, member for member as Rekor v2 has it", () => {
  expect(JSON.parse(new TextDecoder().decode(body))).toEqual({
    apiVersion: "0.0.2",
    kind: "hashedrekord",
    spec: {
      hashedRekordV002: {
        data: { algorithm: "SHA2_256", digest: createHash("sha256").update(pae(payload)).digest("base64") },
        signature: {
          content: Buffer.from(signature).toString("base64"),
          verifier: { keyDetails: "PKIX_ECDSA_P256_SHA_256", publicKey: { rawBytes: Buffer.from(spki).toString("base64") } },
        },
      },
    },
  });
});

test("an entry is a record or an envelope, and never both", () => {
  expect(isHashedRekord(body)).toBe(true);
  expect(isHashedRekord(formatEnvelope({ payload, signatures: [signature] }))).toBe(false);
  expect(isHashedRekord(new Uint8Array())).toBe(false);
});

test("what is parsed has the key and the signature that OpenSSL verifies", () => {
  const record = parseHashedRekord(body);
  if (!("publicKey" in record)) throw new Error("the record names no key");
  const key = createPublicKey({ key: Buffer.from(record.publicKey), format: "der", type: "spki" });
  expect(verifyBytes("sha256", pae(payload), key, record.signature)).toBe(true);
});

test("formatting and parsing are inverse", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(bytes, bytes, bytes, fc.boolean(), (payload, raw, material, keyless) => {
      const identity = keyless
        ? formatKeylessIdentity({ issuer: "https://token.example", subject: "ada" })
        : utf8(`key ${material.length}`);
      const signature = keyless ? formatCertifiedSignature({ certificate: material, signature: raw, timestamp: raw }) : raw;
      const record = hashedRekordOf({ payload, signatures: [signature] }, identity, portableHasher);
      expect(record).toMatchObject({ signature: raw, ...(keyless ? { certificate: material } : { publicKey: identity }) });
      expect(parseHashedRekord(formatHashedRekord(record))).toEqual(record);
    }),
  );
});

test.each([
  ["another version", (text: string) => text.replace("0.0.2", "0.0.1")],
  ["another algorithm", (text: string) => text.replace("SHA2_256", "SHA2_512")],
  ["white space", (text: string) => `${text}\n`],
  ["a member more", (text: string) => text.replace('"spec"', '"more":1,"spec"')],
  ["a short digest", (text: string) => text.replace(/"digest":"[^"]*"/, '"digest":"AAAA"')],
])("%s is no record of ours", (_, change) => {
  expect(() => parseHashedRekord(utf8(change(new TextDecoder().decode(body))))).toThrow(ParseError);
});
