import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { lineSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { z } from "zod";
import { parseJsonBytes } from "./json-text.ts";
import { parseP256Spki } from "./p256.ts";
import { parseNoun } from "./parse-noun.ts";

/** Somebody whom an OpenID Connect issuer knows: they sign with keys that a certificate authority vouches for during some minutes. */
export type KeylessIdentity = z.infer<typeof keylessIdentitySchema>;

const keylessIdentitySchema = z.strictObject({
  issuer: z.url({ protocol: /^https?$/ }).max(400),
  /** The certificate's subject alternative name: a mail address or a URI. */
  subject: lineSchema(400),
});

const maxIdentityBytes = 1400;

/** Whether an identity is keyless. A P-256 key is DER, which begins otherwise. */
export function isKeyless(identity: Uint8Array): boolean {
  return identity[0] === "{".charCodeAt(0);
}

/**
 * Checks the bytes of which an operator's id is the digest: a P-256 public key (SubjectPublicKeyInfo, DER), or a keyless identity.
 *
 * @throws ParseError
 */
export function parseIdentity(bytes: Uint8Array): Uint8Array {
  if (isKeyless(bytes)) parseKeylessIdentity(bytes);
  else parseP256Spki(bytes);
  return bytes;
}

/** Canonical JSON: `{"issuer":"https://token.example","subject":"https://git.example/ada/rebuilder"}` */
export function formatKeylessIdentity({ issuer, subject }: KeylessIdentity): Uint8Array {
  return utf8(formatCanonicalJson({ issuer, subject }));
}

/** The inverse of `formatKeylessIdentity`. @throws ParseError for anything else, also for other spellings */
export function parseKeylessIdentity(bytes: Uint8Array): KeylessIdentity {
  const { text, value } = parseJsonBytes("keyless identity", bytes, maxIdentityBytes);
  const identity = parseNoun(keylessIdentitySchema, "keyless identity", value);
  if (formatCanonicalJson(identity) !== text) throw new ParseError("keyless identity in canonical JSON", text);
  return identity;
}
