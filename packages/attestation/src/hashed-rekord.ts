import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { maxEntryBytes } from "@quorate/protocol/entry";
import { textSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { formatBase64, parseBase64 } from "@quorate/tlog/base64";
import type { Hasher } from "@quorate/tlog/merkle";
import { equalHashes as equalBytes } from "@quorate/tlog/hash";
import { hex } from "@scure/base";
import { z } from "zod";
import { parseCertifiedSignature } from "./certified-signature.ts";
import { type Envelope, pae } from "./dsse.ts";
import { isKeyless } from "./identity.ts";
import { parseJsonBytes } from "./json-text.ts";
import { parseNoun } from "./parse-noun.ts";

/** That a P-256 key signed the content with this digest. */
export type HashedRekord = {
  /** SHA-256 of what was signed: of an envelope, its pre-authentication encoding. */
  readonly digest: Sha256;
  /** ASN.1 DER. */
  readonly signature: Uint8Array;
} & RekordVerifier;

/** The key, SubjectPublicKeyInfo, or the certificate of it, X.509; both DER. */
type RekordVerifier = { readonly publicKey: Uint8Array } | { readonly certificate: Uint8Array };

const start = utf8('{"apiVersion":"0.0.2","kind":"hashedrekord"');
const text = textSchema(400);
const keyDetails = z.literal("PKIX_ECDSA_P256_SHA_256");
const bodySchema = z.strictObject({
  apiVersion: z.literal("0.0.2"),
  kind: z.literal("hashedrekord"),
  spec: z.strictObject({
    hashedRekordV002: z.strictObject({
      data: z.strictObject({ algorithm: z.literal("SHA2_256"), digest: text }),
      signature: z.strictObject({
        content: text,
        verifier: z.union([
          z.strictObject({ keyDetails, publicKey: z.strictObject({ rawBytes: text }) }),
          z.strictObject({ keyDetails, x509Certificate: z.strictObject({ rawBytes: textSchema(8000) }) }),
        ]),
      }),
    }),
  }),
});

/** Whether an entry of the log is a `hashedrekord`; envelopes begin otherwise. */
export function isHashedRekord(entry: Uint8Array): boolean {
  return entry.length > start.length && start.every((byte, index) => byte === entry[index]);
}

/**
 * The record of an envelope's first signature, which is by this identity and has been verified.
 *
 * @throws RangeError for an envelope without signatures
 */
export function hashedRekordOf({ payload, signatures }: Envelope, identity: Uint8Array, hasher: Hasher): HashedRekord {
  const [signature] = signatures;
  if (signature === undefined) throw new RangeError("recording a signature: the envelope has none");
  const digest = hasher.digest(pae(payload));
  if (!isKeyless(identity)) return { digest, signature, publicKey: identity };
  const certified = parseCertifiedSignature(signature);
  return { digest, signature: certified.signature, certificate: certified.certificate };
}

/**
 * The body of a Rekor v2 entry `hashedrekord` 0.0.2, as canonical JSON: as a leaf of our log it lets Sigstore's clients find a signature.
 *
 *     {"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"47DE…="},
 *      "signature":{"content":"MEUC…","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"MFkw…"}}}}}}
 */
export function formatHashedRekord(record: HashedRekord): Uint8Array {
  const data = `{"algorithm":"SHA2_256","digest":"${formatBase64(hex.decode(record.digest))}"}`;
  const [name, key] = "publicKey" in record ? ["publicKey", record.publicKey] : ["x509Certificate", record.certificate];
  const verifier = `{"keyDetails":"${keyDetails.value}","${name}":{"rawBytes":"${formatBase64(key)}"}}`;
  const signed = `{"data":${data},"signature":{"content":"${formatBase64(record.signature)}","verifier":${verifier}}}`;
  return utf8(`{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":${signed}}}`);
}

/**
 * The inverse of `formatHashedRekord`. Nothing in it is verified.
 *
 * @throws ParseError for anything else, also for other spellings of the same body
 */
export function parseHashedRekord(bytes: Uint8Array): HashedRekord {
  const { text, value } = parseJsonBytes("hashedrekord", bytes, maxEntryBytes);
  const { data, signature } = parseNoun(bodySchema, "hashedrekord", value).spec.hashedRekordV002;
  const record = {
    digest: parseSha256(hex.encode(parseBase64("digest of a hashedrekord", data.digest))),
    signature: parseBase64("signature of a hashedrekord", signature.content),
    ...parseVerifier(signature.verifier),
  };
  if (!equalBytes(formatHashedRekord(record), bytes)) throw new ParseError("hashedrekord in canonical JSON", text);
  return record;
}

function parseVerifier(verifier: z.infer<typeof bodySchema>["spec"]["hashedRekordV002"]["signature"]["verifier"]): RekordVerifier {
  if ("publicKey" in verifier) return { publicKey: parseBase64("key of a hashedrekord", verifier.publicKey.rawBytes) };
  return { certificate: parseBase64("certificate of a hashedrekord", verifier.x509Certificate.rawBytes) };
}
