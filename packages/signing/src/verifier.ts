import { isKeyless } from "@quorate/attestation/identity";
import type { VerifySignature } from "@quorate/attestation/p256";
import { VerificationError } from "@quorate/tlog/verification-error";
import { verifyP256 } from "./p256-key.ts";

/**
 * What verifies signatures by P-256 keys and, given a Sigstore trusted root (the text of trusted_root.json), by keyless identities. The root is
 * the reader's own: nothing is fetched. Sigstore's code is loaded for who needs it.
 *
 * @throws ParseError for what is no trusted root
 */
export async function loadVerifier(trustedRoot: string | undefined): Promise<VerifySignature> {
  if (trustedRoot === undefined) return verifyKeys;
  const { createKeylessVerifier } = await import("./keyless-verifier.ts");
  const verifyKeyless = createKeylessVerifier(trustedRoot);
  return (identity, message, signature) => (isKeyless(identity) ? verifyKeyless : verifyP256)(identity, message, signature);
}

const verifyKeys: VerifySignature = (identity, message, signature) => {
  if (!isKeyless(identity)) return verifyP256(identity, message, signature);
  throw new VerificationError("verifying a keyless signature: no trusted root (trusted_root.json) says which certificates to believe");
};
