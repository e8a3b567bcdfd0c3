import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type OperatorId, operatorIdOf } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import { hex } from "@scure/base";

/** For tests: an identity key that anybody can make from its name. */
export type PortableSigner = { name: string; spki: Uint8Array; operator: OperatorId; sign(message: Uint8Array): Uint8Array };

export function portableSignerOf(name: string): PortableSigner {
  const secretKey = sha256(utf8(`quorate test key of ${name}`));
  const point = p256.getPublicKey(secretKey, false);
  const spki = hex.decode(`3059301306072a8648ce3d020106082a8648ce3d030107034200${hex.encode(point)}`);
  return { name, spki, operator: operatorIdOf(spki), sign: (message) => p256.sign(message, secretKey, { format: "der" }) };
}
