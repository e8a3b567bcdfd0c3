import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { textSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { formatBase64, parseBase64 } from "@quorate/tlog/base64";
import { z } from "zod";
import { parseJsonBytes } from "./json-text.ts";
import { parseNoun } from "./parse-noun.ts";

/** What a keyless identity signs with: all that shows, at any later time, who signed and when. */
export type CertifiedSignature = {
  /** The certificate of the key that signed, which names the identity: X.509, DER. */
  readonly certificate: Uint8Array;
  /** ECDSA, ASN.1 DER. */
  readonly signature: Uint8Array;
  /** That the signature existed while the certificate was valid: a response of RFC 3161 over the signature, DER. */
  readonly timestamp: Uint8Array;
};

export const maxSignatureBytes = 28_000;
const schema = z.strictObject({ certificate: textSchema(8000), signature: textSchema(200), timestamp: textSchema(16_000) });

/** Canonical JSON, in the place of a signature's bytes: `{"certificate":"MIIC…","signature":"MEUC…","timestamp":"MIIE…"}` */
export function formatCertifiedSignature({ certificate, signature, timestamp }: CertifiedSignature): Uint8Array {
  const parts = { certificate: formatBase64(certificate), signature: formatBase64(signature), timestamp: formatBase64(timestamp) };
  return utf8(formatCanonicalJson(parts));
}

/** The inverse of `formatCertifiedSignature`. Nothing in it is verified. @throws ParseError for anything else, also for other spellings */
export function parseCertifiedSignature(bytes: Uint8Array): CertifiedSignature {
  const { text, value } = parseJsonBytes("certified signature", bytes, maxSignatureBytes);
  const parts = parseNoun(schema, "certified signature", value);
  if (formatCanonicalJson(parts) !== text) throw new ParseError("certified signature in canonical JSON", text);
  const { certificate, signature, timestamp } = parts;
  return {
    certificate: parseBase64("certificate of a signature", certificate),
    signature: parseBase64("certified signature", signature),
    timestamp: parseBase64("timestamp of a signature", timestamp),
  };
}
