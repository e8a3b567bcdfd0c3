import { type KeyObject, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { ParseError } from "@quorate/protocol/parse-error";
import { formatBase64, parseBase64 } from "@quorate/tlog/base64";
import type { Ed25519Verify } from "@quorate/tlog/ed25519";
import { type NoteAlgorithm, type NoteKey, type NoteSigner, formatVkey, noteKeyOf } from "@quorate/tlog/note";
import { createKeyCache } from "./key-cache.ts";
import { createKeyFile, readKeyFile } from "./key-file.ts";

const typeOf: Readonly<Record<NoteAlgorithm, number>> = { ed25519: 0x01, cosignature: 0x04 };
const algorithmByType: ReadonlyMap<number, NoteAlgorithm> = new Map([
  [0x01, "ed25519"],
  [0x04, "cosignature"],
]);

/** Ed25519 keys without their 32 bytes: PKCS #8 (RFC 8410 §7) and SubjectPublicKeyInfo (§4). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

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

/** Makes a new note key in a new file: `ed25519` for a log, `cosignature` for a witness. @throws Error when the file exists */
export function createNoteKey(path: string, name: string, algorithm: NoteAlgorithm): NoteSigner {
  const { privateKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ type: "pkcs8", format: "der" }).subarray(pkcs8Prefix.length);
  const signer = signerOf(privateKey, name, algorithm);
  createKeyFile("a note key", path, `${formatNoteKey(signer.key, seed)}\n`);
  return signer;
}

/** The signer inside a private key's text. @throws ParseError, which never shows the text */
export function parseNoteKey(text: string): NoteSigner {
  const [, name, , encoded] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})$/u.exec(text) ?? [];
  if (name === undefined || encoded === undefined) throw new ParseError("note key", "(not shown)");
  const bytes = parseBase64("note key", encoded);
  const algorithm = algorithmByType.get(bytes[0] ?? 0);
  if (bytes.length !== 33 || algorithm === undefined) throw new ParseError("note key of a supported type", "(not shown)");
  const seed = bytes.subarray(1);
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
  const signer = signerOf(privateKey, name, algorithm);
  if (formatNoteKey(signer.key, seed) !== text) throw new ParseError("note key whose key ID is its own", "(not shown)");
  return signer;
}

function formatNoteKey(key: NoteKey, seed: Uint8Array): string {
  // A verifier key has the same head: name, then key ID.
  const head = formatVkey(key).split("+").slice(0, 2).join("+");
  return `PRIVATE+KEY+${head}+${formatBase64(Buffer.concat([Uint8Array.of(typeOf[key.algorithm]), seed]))}`;
}

function signerOf(privateKey: KeyObject, name: string, algorithm: NoteAlgorithm): NoteSigner {
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const publicKey = new Uint8Array(spki.subarray(spkiPrefix.length));
  return {
    key: noteKeyOf({ name, algorithm, publicKey }),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}

/** SubjectPublicKeyInfo, DER, of an Ed25519 key of 32 bytes. */
export function ed25519SpkiOf(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array([...spkiPrefix, ...publicKey]);
}

const importKey = createKeyCache((publicKey) =>
  createPublicKey({ key: Buffer.from(ed25519SpkiOf(publicKey)), format: "der", type: "spki" }),
);

/** Verifies Ed25519 with OpenSSL. */
export const verifyEd25519: Ed25519Verify = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return verify(null, message, importKey(publicKey), signature);
  } catch {
    // A key that is no point of the curve signs nothing.
    return false;
  }
};
