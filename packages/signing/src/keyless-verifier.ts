import { createHash } from "node:crypto";
import { type CertifiedSignature, parseCertifiedSignature } from "@quorate/attestation/certified-signature";
import { type KeylessIdentity, parseKeylessIdentity } from "@quorate/attestation/identity";
import type { VerifySignature } from "@quorate/attestation/p256";
import { ParseError } from "@quorate/protocol/parse-error";
import { VerificationError } from "@quorate/tlog/verification-error";
import { toMessageSignatureBundle } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { type Signer, toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";

/**
 * Verifies certified signatures, by the certificate, certificate log and timestamp authorities of a Sigstore trusted root: all three must vouch.
 *
 * @throws ParseError for what is no trusted root
 */
export function createKeylessVerifier(trustedRoot: string): VerifySignature {
  const thresholds = { ctlogThreshold: 1, timestampThreshold: 1, tlogThreshold: 0 };
  const verifier = new Verifier(toTrustMaterial(parseTrustedRoot(trustedRoot)), thresholds);
  return (identity, message, signature) => {
    try {
      verifyKeyless(verifier, parseKeylessIdentity(identity), { message, certified: parseCertifiedSignature(signature) });
      return true;
    } catch (cause) {
      if (cause instanceof ParseError) throw refusal(cause.message, cause);
      throw cause;
    }
  };
}

/** @throws ParseError */
export function parseTrustedRoot(text: string): TrustedRoot {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(text));
    // Whatever is missing in the file is empty in the root: a file of another kind would be one that believes nobody.
    if (!root.mediaType.startsWith("application/vnd.dev.sigstore.trustedroot")) throw new Error("it has no media type of one");
    toTrustMaterial(root);
    return root;
  } catch (cause) {
    throw new ParseError("trusted root of Sigstore (trusted_root.json)", text, { cause });
  }
}

/** A trusted root in its one spelling as JSON. @throws ParseError */
export function jsonOfTrustedRoot(text: string): Record<string, unknown> {
  return Object(TrustedRoot.toJSON(parseTrustedRoot(text)));
}

type Signed = { readonly message: Uint8Array; readonly certified: CertifiedSignature };

function verifyKeyless(verifier: Verifier, identity: KeylessIdentity, { message, certified }: Signed): void {
  if (certified.timestamp.length === 0)
    throw refusal("it has no timestamp, so nothing shows that its certificate was valid when it was made");
  const { certificate, signature, timestamp } = certified;
  const bundle = toMessageSignatureBundle({
    digest: createHash("sha256").update(message).digest(),
    signature: Buffer.from(signature),
    certificate: Buffer.from(certificate),
  });
  bundle.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp: Buffer.from(timestamp) }] };
  try {
    checkIdentity(verifier.verify(toSignedEntity(bundle, Buffer.from(message))), identity);
  } catch (cause) {
    if (cause instanceof VerificationError) throw cause;
    throw refusal(innermostMessage(cause), cause);
  }
}

/** Sigstore's own comparison takes patterns; an identity is exactly one. @throws VerificationError */
export function checkIdentity({ identity }: Signer, { issuer, subject }: KeylessIdentity): void {
  const [certifiedIssuer, certifiedSubject] = [identity?.extensions?.issuer, identity?.subjectAlternativeName];
  if (certifiedIssuer !== issuer) throw refusal(`its certificate is for an identity of issuer ${certifiedIssuer}, not of ${issuer}`);
  if (certifiedSubject !== subject) throw refusal(`its certificate is for ${certifiedSubject}, not for ${subject}`);
}

function refusal(reason: string, cause?: unknown): VerificationError {
  return new VerificationError(`verifying a keyless signature: ${reason}`, { cause });
}

function innermostMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : innermostMessage(error.cause);
}
