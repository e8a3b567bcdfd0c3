import type { OperatorId } from "@quorate/protocol/operator";

/** Whoever signs as an operator, with a key or without. */
export type OperatorSigner = {
  /** A P-256 public key (SubjectPublicKeyInfo, DER), or a keyless identity. */
  readonly identity: Uint8Array;
  readonly operator: OperatorId;
  sign(message: Uint8Array): Promise<Uint8Array>;
};
