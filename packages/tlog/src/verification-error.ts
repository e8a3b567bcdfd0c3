/** Thrown when well-formed input does not prove what it claims: a signature, a proof, a quorum. The message says which claim and why. */
export class VerificationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "VerificationError";
  }
}
