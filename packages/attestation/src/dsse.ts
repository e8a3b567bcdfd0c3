import { ParseError } from "@quorate/protocol/parse-error";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { maxEnvelopeBytes } from "@quorate/protocol/entry";
import { utf8 } from "@quorate/protocol/utf8";
import { formatBase64, parseBase64 } from "@quorate/tlog/base64";
import { boundedText } from "@quorate/tlog/bounded-text";
import { VerificationError } from "@quorate/tlog/verification-error";
import type { VerifySignature } from "./p256.ts";

export const inTotoPayloadType = "application/vnd.in-toto+json";

/** A DSSE envelope around an in-toto statement. Nothing in it is verified. */
export type Envelope = { readonly payload: Uint8Array; readonly signatures: readonly Uint8Array[] };

/** Canonical JSON of an envelope is these, and base64 between them. */
const start = '{"payload":"';
const middle = `","payloadType":"${inTotoPayloadType}","signatures":[{"sig":"`;
const between = '"},{"sig":"';
const end = '"}]}';

const maxSignatures = 4;
/** Of its base64; one of a keyless identity has some 9,000 characters. */
const maxSignatureLength = 38_000;

/**
 * What a DSSE signature signs: the pre-authentication encoding (DSSE v1, "Signature definition").
 *
 *     DSSEv1 28 application/vnd.in-toto+json 2 {}
 */
export function pae(payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${inTotoPayloadType.length} ${inTotoPayloadType} ${payload.length} `;
  const encoded = new Uint8Array(head.length + payload.length);
  for (let at = 0; at < head.length; at += 1) encoded[at] = head.charCodeAt(at);
  encoded.set(payload, head.length);
  return encoded;
}

/**
 * A DSSE v1 envelope in its one spelling, canonical JSON without key ids:
 *
 *     {"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"MEUCIQ…"}]}
 *
 * @throws ParseError for anything else, also for other spellings of the same envelope
 */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  const text = boundedText("DSSE envelope", bytes, maxEnvelopeBytes);
  const isFramed = text.startsWith(start) && text.endsWith(end);
  const [payload, signed, ...others] = isFramed ? text.slice(start.length, -end.length).split(middle) : [];
  const signatures = signed?.split(between) ?? [];
  const isBounded = signatures.length <= maxSignatures && signatures.every(({ length }) => length <= maxSignatureLength);
  if (payload === undefined || signed === undefined || others.length > 0 || !isBounded) {
    throw new ParseError("DSSE envelope in canonical JSON", text);
  }
  return {
    payload: parseBase64("DSSE payload", payload),
    signatures: signatures.map((signature) => parseBase64("DSSE signature", signature)),
  };
}

/** The inverse of `parseEnvelope`. */
export function formatEnvelope({ payload, signatures }: Envelope): Uint8Array {
  const envelope = {
    payload: formatBase64(payload),
    payloadType: inTotoPayloadType,
    signatures: signatures.map((signature) => ({ sig: formatBase64(signature) })),
  };
  return utf8(formatCanonicalJson(envelope));
}

/**
 * Verifies the envelope's signatures: the first by the first key, the second by the second, and none besides.
 *
 * @returns the payload
 * @throws VerificationError
 */
export function verifyEnvelope({ payload, signatures }: Envelope, spkiKeys: readonly Uint8Array[], verify: VerifySignature): Uint8Array {
  if (spkiKeys.length === 0) throw new VerificationError("verifying an envelope: no key is given");
  if (signatures.length !== spkiKeys.length) {
    throw new VerificationError(`verifying an envelope: it has ${signatures.length} signatures, not ${spkiKeys.length}`);
  }
  const message = pae(payload);
  for (const [position, key] of spkiKeys.entries()) {
    const signature = signatures[position];
    if (signature === undefined || !verify(key, message, signature)) {
      throw new VerificationError(`verifying an envelope: signature ${position + 1} is not by the key that must have made it`);
    }
  }
  return payload;
}
