import { ApiError, ConnectionError } from "@quorate/client/http";
import { ParseError } from "@quorate/protocol/parse-error";
import { VerificationError } from "@quorate/tlog/verification-error";

/** Whether an error is about what a log serves, or that it does not, and not about this program or this host. */
export function isLogError(error: unknown): boolean {
  return [VerificationError, ParseError, ApiError, ConnectionError].some((kind) => error instanceof kind);
}
