import { type KeyObject, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { type InTotoLink, formatLink, linkKeyIdOf, signedPartOf } from "@quorate/attestation/in-toto-link";
import { createKeyFile, formatKeyPem, keyFileError, parseKeyPem, readKeyFile } from "./key-file.ts";

/** An operator's Ed25519 key for legacy in-toto links. */
export type LinkSigner = {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The signed link's text. */
  sign(link: InTotoLink): string;
};

/**
 * Loads a link key: PEM, PKCS #8, Ed25519, mode 0600.
 *
 * @throws Error naming the file and what is wrong with it
 */
export function loadLinkKey(path: string, passphrase?: string): LinkSigner {
  const pem = readKeyFile("an Ed25519 key", path);
  try {
    return linkSignerOf(parseKeyPem(pem, passphrase));
  } catch (cause) {
    throw keyFileError({ path, algorithm: "Ed25519" }, cause);
  }
}

/** Makes a new link key in a new file. @throws Error when the file exists */
export function createLinkKey(path: string, passphrase?: string): LinkSigner {
  const { privateKey } = generateKeyPairSync("ed25519");
  createKeyFile("an Ed25519 key", path, formatKeyPem(privateKey, passphrase));
  return linkSignerOf(privateKey);
}

/** A signer from a private key that is already in memory. @throws TypeError unless it is an Ed25519 key */
export function linkSignerOf(privateKey: KeyObject): LinkSigner {
  if (privateKey.asymmetricKeyType !== "ed25519") throw new TypeError(`a link key is Ed25519, not ${privateKey.asymmetricKeyType}`);
  const publicKey = new Uint8Array(Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url"));
  const keyId = linkKeyIdOf(publicKey);
  return {
    publicKey,
    sign: (link) => formatLink(link, { keyId, signature: new Uint8Array(sign(null, signedPartOf(link), privateKey)) }),
  };
}
