import { type Envelope, verifyEnvelope } from "@quorate/attestation/dsse";
import type { Entry, LogStatement, OperatorPredicate } from "@quorate/attestation/log-statement";
import { isKeyless, parseIdentity } from "@quorate/attestation/identity";
import type { VerifySignature } from "@quorate/attestation/p256";
import { type Enrolment, type OperatorId, type Rotation, operatorIdOf } from "@quorate/protocol/operator";
import { unreachable } from "@quorate/protocol/unreachable";
import { parseBase64 } from "@quorate/tlog/base64";
import { equalHashes as equalBytes } from "@quorate/tlog/hash";
import { VerificationError } from "@quorate/tlog/verification-error";

export type EntryKeys = {
  readonly networkKey: Uint8Array;
  /** Identity key that an operator signs with at this place in the log. */
  readonly keyOf: (operator: OperatorId) => Uint8Array | undefined;
};

/**
 * Verifies that an entry is signed by whom it must be: what the network decides by the network, what an operator claims by that operator,
 * an enrolment by both, a change of keys by the old key, the new one and the network, a revocation by either. Nobody signs for another; least of all the network for an operator.
 *
 * @throws VerificationError
 */
export function verifyEntrySigners(entry: Entry, keys: EntryKeys, verify: VerifySignature): void {
  const { statement, envelope } = entry;
  switch (statement.kind) {
    case "policy":
    case "target":
    case "round":
    case "verdict":
    case "large-envelope":
      return mustVerify(envelope, [keys.networkKey], { what: `a ${statement.kind}`, who: "the network", verify });
    case "operator":
      return verifyOperatorEntry(envelope, statement.predicate, keys, verify);
    case "commitment":
    case "result":
      return verifyClaim(envelope, statement, keys, verify);
    default:
      return unreachable(statement);
  }
}

/** The key that must have made the one signature of an entry; `undefined` where there is none or several may. */
export function soleSigner(statement: LogStatement, { networkKey, keyOf }: EntryKeys): Uint8Array | undefined {
  switch (statement.kind) {
    case "operator":
      return undefined;
    case "commitment":
      return keyOf(statement.commitment.operator);
    case "result":
      return keyOf(statement.result.operator);
    default:
      return networkKey;
  }
}

/**
 * The identity key that an enrolment or a change of keys names: a P-256 key, or a keyless identity.
 *
 * @throws ParseError when it is neither
 * @throws VerificationError when it is another operator's, or is the network's own
 */
export function namedKey(predicate: Enrolment | Rotation, networkKey: Uint8Array): Uint8Array {
  const { action, operator, identityKey } = predicate;
  const key = parseIdentity(parseBase64("operator's identity key", identityKey));
  if (action === "enrol" && operatorIdOf(key) !== operator) {
    throw new VerificationError(`verifying an enrolment: operator ${operator} names a key whose id is ${operatorIdOf(key)}`);
  }
  if (equalBytes(key, networkKey)) {
    throw new VerificationError("verifying an operator's key: it is the network's, and the network may make no rebuild claim");
  }
  return key;
}

function verifyOperatorEntry(envelope: Envelope, predicate: OperatorPredicate, keys: EntryKeys, verify: VerifySignature): void {
  const { networkKey } = keys;
  switch (predicate.action) {
    case "enrol": {
      const signers = [namedKey(predicate, networkKey), networkKey];
      return mustVerify(envelope, signers, { what: "an enrolment", who: "the operator and then the network", verify });
    }
    case "rotate": {
      const signers = [knownKey(predicate.operator, keys, "a change of keys"), namedKey(predicate, networkKey), networkKey];
      return mustVerify(envelope, signers, { what: "a change of keys", who: "the old key, the new one and then the network", verify });
    }
    case "revoke": {
      const operatorKey = knownKey(predicate.operator, keys, "a revocation");
      if (doesVerify(envelope, [networkKey], verify)) return;
      return mustVerify(envelope, [operatorKey], { what: "a revocation", who: "the network or the operator", verify });
    }
    default:
      return unreachable(predicate);
  }
}

type Claim = Extract<LogStatement, { kind: "commitment" | "result" }>;

function verifyClaim(envelope: Envelope, claim: Claim, keys: EntryKeys, verify: VerifySignature): void {
  const what = `a ${claim.kind}`;
  const { operator } = claim.kind === "commitment" ? claim.commitment : claim.result;
  const key = knownKey(operator, keys, what);
  if (doesVerify(envelope, [key], verify)) return;
  if (doesVerify(envelope, [keys.networkKey], verify)) {
    throw new VerificationError(
      `verifying ${what} of operator ${operator}: the network signed it, and the network may make no rebuild claim`,
    );
  }
  mustVerify(envelope, [key], { what, who: `operator ${operator}`, verify });
}

function knownKey(operator: OperatorId, { keyOf }: EntryKeys, what: string): Uint8Array {
  const key = keyOf(operator);
  if (key === undefined) throw new VerificationError(`verifying ${what}: operator ${operator} was not enrolled before it`);
  return key;
}

function doesVerify(envelope: Envelope, keys: readonly Uint8Array[], verify: VerifySignature): boolean {
  return refusalOf(envelope, keys, verify) === undefined;
}

type Expected = { what: string; who: string; verify: VerifySignature };

function mustVerify(envelope: Envelope, keys: readonly Uint8Array[], { what, who, verify }: Expected): void {
  const cause = refusalOf(envelope, keys, verify);
  if (cause === undefined) return;
  // Of a keyless identity there is more to say than that it did not sign.
  const more = keys.some(isKeyless) ? `: ${cause.message}` : "";
  throw new VerificationError(`verifying ${what}: it is not signed by ${who}${more}`, { cause });
}

function refusalOf(envelope: Envelope, keys: readonly Uint8Array[], verify: VerifySignature): VerificationError | undefined {
  try {
    verifyEnvelope(envelope, keys, verify);
    return undefined;
  } catch (error) {
    if (error instanceof VerificationError) return error;
    throw error;
  }
}
