export type ArchiveErrorCode =
  | "unreachable"
  | "not-found"
  | "too-large"
  | "digest-differs"
  | "not-signed"
  | "wrong-suite"
  | "expired"
  | "not-yet-valid"
  | "older-than-known"
  | "malformed";

/** An archive that could not be read or whose bytes do not verify; the message says what was done, with what, and what stood in the way. */
export class ArchiveError extends Error {
  readonly code: ArchiveErrorCode;

  constructor(code: ArchiveErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "ArchiveError";
    this.code = code;
  }
}
