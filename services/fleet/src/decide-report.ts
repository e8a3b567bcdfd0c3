import { verifyEnvelope } from "@quorate/attestation/dsse";
import type { VerifySignature } from "@quorate/attestation/p256";
import { type RuntimeStatement, parseRuntime } from "@quorate/attestation/runtime-statement";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import type { ReportPlace } from "@quorate/protocol/report-place";
import { VerificationError } from "@quorate/tlog/verification-error";
import type { EnrolledHost } from "./enrolled-hosts.ts";

export type ReportDecision =
  | { readonly kind: "accept"; readonly statement: RuntimeStatement; readonly digest: Sha256 }
  /** The newest report, sent again since its answer was lost. */
  | { readonly kind: "known" }
  | { readonly kind: "malformed" | "wrong-signature" | "replayed"; readonly reason: string };

/** Whether a report is the host's, and the next one: made after the one before was accepted, and never seen. */
export function decideReport(
  body: Uint8Array,
  { host, challenge, verify }: { host: EnrolledHost; challenge: ReportPlace; verify: VerifySignature },
): ReportDecision {
  const digest = sha256Of(body);
  if (digest === challenge.previous) return { kind: "known" };
  try {
    const { envelope, statement } = parseRuntime(body);
    verifyEnvelope(envelope, [host.spki], verify);
    const { sequence, nonce, previous } = statement.runtime;
    if (sequence !== challenge.sequence)
      return { kind: "replayed", reason: `it is report ${sequence}, and report ${challenge.sequence} is awaited` };
    if (nonce !== challenge.nonce) return { kind: "replayed", reason: "its nonce is not the one that was given out last" };
    if (previous !== challenge.previous) return { kind: "replayed", reason: "it does not follow the report that was accepted last" };
    return { kind: "accept", statement, digest };
  } catch (error) {
    if (error instanceof ParseError) return { kind: "malformed", reason: error.message };
    if (error instanceof VerificationError) return { kind: "wrong-signature", reason: error.message };
    throw error;
  }
}
