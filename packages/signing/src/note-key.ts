import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { ParseError } from "@quorate/protocol/parse-error";
import { formatBase64, parseBase64 } from "@quorate/tlog/base64";
import {
  type NoteAlgorithm,
  type NoteKey,
  type NoteSigner,
  formatVkey,
  noteAlgorithmByType,
  noteKeyOf,
  noteTypeOf,
} from "@quorate/tlog/note";
import { type NoteVerify, mlDsa44PublicKeyBytes, mlDsa44SignatureBytes } from "@quorate/tlog/note-verify";
import { createKeyCache } from "./key-cache.ts";
import { createKeyFile, readKeyFile } from "./key-file.ts";

/**
 * How OpenSSL wants a key without its own bytes: PKCS #8 before the 32-byte seed, SubjectPublicKeyInfo before the public key. Ed25519: RFC 8410,
 * sections 7 and 4; ML-DSA-44: RFC 9881, sections 6 and 4.
 */
const ed25519 = { pkcs8: Buffer.from("302e020100300506032b657004220420", "hex"), spki: Buffer.from("302a300506032b6570032100", "hex") };
const mlDsa44 = {
  pkcs8: Buffer.from("3034020100300b060960864801650304031104228020", "hex"),
  spki: Buffer.from("30820532300b06096086480165030403110382052100", "hex"),
};
const encodings: Readonly<Record<NoteAlgorithm, typeof ed25519>> = { ed25519, cosignature: ed25519, "ml-dsa-44": mlDsa44 };

/**
 * Loads the key of a log or a witness, in the text form of Go's note package:
 *
 *     PRIVATE+KEY+<name>+<key ID as 8 hexadecimal digits>+<base64(type ‖ 32-byte seed)>
 *
 * @throws Error naming the file and what is wrong with it
 */
export function loadNoteKey(path: string): NoteSigner {
  const text = readKeyFile("a note key", path);
  try {
    return parseNoteKey(text.trimEnd());
  } catch (cause) {
    throw new Error(`loading a note key from ${path}: it is no line PRIVATE+KEY+<name>+<key ID>+<base64>`, { cause });
  }
}

/**
 * Makes a new note key in a new file: `ed25519` for a log, `ml-dsa-44` for its second signature, `cosignature` for a witness.
 * @throws Error when the file exists
 */
export function createNoteKey(path: string, name: string, algorithm: NoteAlgorithm): NoteSigner {
  const seed = randomBytes(32);
  const signer = signerOf(seed, name, algorithm);
  createKeyFile("a note key", path, `${formatNoteKey(signer.key, seed)}\n`);
  return signer;
}

/** The signer inside a private key's text. @throws ParseError, which never shows the text */
export function parseNoteKey(text: string): NoteSigner {
  const [, name, , encoded] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})$/u.exec(text) ?? [];
  if (name === undefined || encoded === undefined) throw new ParseError("note key", "(not shown)");
  const bytes = parseBase64("note key", encoded);
  const algorithm = noteAlgorithmByType.get(bytes[0] ?? 0);
  if (bytes.length !== 33 || algorithm === undefined) throw new ParseError("note key of a supported type", "(not shown)");
  const seed = bytes.subarray(1);
  const signer = signerOf(seed, name, algorithm);
  if (formatNoteKey(signer.key, seed) !== text) throw new ParseError("note key whose key ID is its own", "(not shown)");
  return signer;
}

function formatNoteKey(key: NoteKey, seed: Uint8Array): string {
  // A verifier key has the same head: name, then key ID.
  const head = formatVkey(key).split("+").slice(0, 2).join("+");
  return `PRIVATE+KEY+${head}+${formatBase64(Buffer.concat([Uint8Array.of(noteTypeOf[key.algorithm]), seed]))}`;
}

function signerOf(seed: Uint8Array, name: string, algorithm: NoteAlgorithm): NoteSigner {
  const { pkcs8, spki } = encodings[algorithm];
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: "der", type: "pkcs8" });
  const publicKey = new Uint8Array(createPublicKey(privateKey).export({ type: "spki", format: "der" }).subarray(spki.length));
  return {
    key: noteKeyOf({ name, algorithm, publicKey }),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}

/** SubjectPublicKeyInfo, DER, of an Ed25519 key of 32 bytes. */
export function ed25519SpkiOf(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array([...ed25519.spki, ...publicKey]);
}

const importKey = createKeyCache((publicKey) => {
  const { spki } = publicKey.length === mlDsa44PublicKeyBytes ? mlDsa44 : ed25519;
  return createPublicKey({ key: Buffer.concat([spki, publicKey]), format: "der", type: "spki" });
});

/**
 * Verifies with OpenSSL what signs notes: Ed25519, and ML-DSA-44 where a key is one, so that every reader of a policy may be given either. Links
 * are signed with Ed25519 like notes.
 */
export const verifyNoteSignature: NoteVerify = (publicKey, message, signature) => {
  const isMlDsa44 = publicKey.length === mlDsa44PublicKeyBytes && signature.length === mlDsa44SignatureBytes;
  if (!isMlDsa44 && (publicKey.length !== 32 || signature.length !== 64)) return false;
  try {
    return verify(null, message, importKey(publicKey), signature);
  } catch {
    // A key that is no point of the curve, or otherwise none, signs nothing.
    return false;
  }
};
