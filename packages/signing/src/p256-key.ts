import { type KeyObject, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { type VerifySignature, parseP256Spki } from "@quorate/attestation/p256";
import { type OperatorId, operatorIdOf } from "@quorate/protocol/operator";
import { createKeyCache } from "./key-cache.ts";
import { createKeyFile, formatKeyPem, keyFileError, parseKeyPem, readKeyFile } from "./key-file.ts";

/** An identity key, of an operator or of the network: ECDSA over P-256. */
export type P256Signer = {
  /** The public key: SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** The identity that this key has as an operator's. */
  readonly operator: OperatorId;
  /** Signs the SHA-256 of `message`; the signature is ASN.1 DER. */
  sign(message: Uint8Array): Uint8Array;
};

/**
 * Loads an identity key: PEM, PKCS #8, P-256, mode 0600.
 *
 * @throws Error naming the file and what is wrong with it
 */
export function loadP256Key(path: string, passphrase?: string): P256Signer {
  const pem = readKeyFile("a P-256 key", path);
  try {
    return p256SignerOf(parseKeyPem(pem, passphrase));
  } catch (cause) {
    throw keyFileError({ path, algorithm: "P-256" }, cause);
  }
}

/** Makes a new identity key in a new file. @throws Error when the file exists */
export function createP256Key(path: string, passphrase?: string): P256Signer {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  createKeyFile("a P-256 key", path, formatKeyPem(privateKey, passphrase));
  return p256SignerOf(privateKey);
}

/** A signer from a private key that is already in memory. @throws ParseError unless it is a P-256 key */
export function p256SignerOf(privateKey: KeyObject): P256Signer {
  const spki = new Uint8Array(createPublicKey(privateKey).export({ type: "spki", format: "der" }));
  parseP256Spki(spki);
  return {
    spki,
    operator: operatorIdOf(spki),
    sign: (message) => new Uint8Array(sign("sha256", message, privateKey)),
  };
}

const importKey = createKeyCache((spkiDer) => {
  parseP256Spki(spkiDer);
  return createPublicKey({ key: Buffer.from(spkiDer), format: "der", type: "spki" });
});

/** Verifies with OpenSSL: about twenty times as fast as the portable implementation. */
export const verifyP256: VerifySignature = (spkiDer, message, signature) => {
  try {
    return verify("sha256", message, importKey(spkiDer), signature);
  } catch {
    // Bytes that are no key or no signature sign nothing.
    return false;
  }
};
