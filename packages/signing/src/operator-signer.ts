import type { OperatorId } from "@quorate/protocol/operator";
import type { P256Signer } from "./p256-key.ts";

/** Whoever signs as an operator, with a key or without. */
export type OperatorSigner = {
  /** A P-256 public key (SubjectPublicKeyInfo, DER), or a keyless identity. */
  readonly identity: Uint8Array;
  readonly operator: OperatorId;
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
};

/** An operator that signs with its key. */
export function operatorSignerOf({ spki, operator, sign }: P256Signer): OperatorSigner {
  return { identity: spki, operator, sign };
}
