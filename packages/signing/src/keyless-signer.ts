import { X509Certificate } from "node:crypto";
import { formatCertifiedSignature } from "@quorate/attestation/certified-signature";
import { formatKeylessIdentity, type KeylessIdentity } from "@quorate/attestation/identity";
import { operatorIdOf } from "@quorate/protocol/operator";
import { FulcioSigner, TSAWitness } from "@sigstore/sign";
import type { OperatorSigner } from "./operator-signer.ts";

export type KeylessOptions = KeylessIdentity & {
  /** The certificate authority (Fulcio). */
  readonly fulcioUrl: string;
  /** The timestamp authority (RFC 3161). */
  readonly timestampUrl: string;
  /** A fresh token of the issuer, for the audience `sigstore`. */
  readonly getToken: () => Promise<string>;
};

const requestMilliseconds = 20_000;

/** Signs each message with a new key that never leaves memory, certified for some minutes, and has the time attested. */
export function createKeylessSigner({ issuer, subject, fulcioUrl, timestampUrl, getToken }: KeylessOptions): OperatorSigner {
  const identity = formatKeylessIdentity({ issuer, subject });
  const limits = { timeout: requestMilliseconds, retry: 2 };
  const identityProvider = { getToken: async () => checkToken(await getToken()) };
  const authority = new TSAWitness({ tsaBaseURL: timestampUrl, ...limits });
  return {
    identity,
    operator: operatorIdOf(identity),
    async sign(message) {
      // One for each message: it keeps its key.
      const fulcio = new FulcioSigner({ fulcioBaseURL: fulcioUrl, identityProvider, ...limits });
      const { signature, key } = await fulcio.sign(Buffer.from(message));
      if (key.$case !== "x509Certificate") throw new Error(`asking ${fulcioUrl} for a certificate: the answer holds none`);
      const digest = Buffer.alloc(0);
      const content = { $case: "messageSignature" as const, messageSignature: { messageDigest: { algorithm: 1, digest }, signature } };
      const { rfc3161Timestamps } = await authority.testify(content);
      const [timestamp] = rfc3161Timestamps;
      if (timestamp === undefined) throw new Error(`asking ${timestampUrl} for a timestamp: the answer holds none`);
      return formatCertifiedSignature({
        certificate: new X509Certificate(key.certificate).raw,
        signature,
        timestamp: timestamp.signedTimestamp,
      });
    },
  };
}

/** Whoever sees a token can sign with it: what is wrong with one is said without showing it. */
function checkToken(token: string): string {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
  if (payload !== undefined && isJsonObject(Buffer.from(payload, "base64url").toString())) return token;
  throw new Error("reading an identity token: it is no JSON Web Token (RFC 7519); ask the issuer for one with the audience sigstore");
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}
