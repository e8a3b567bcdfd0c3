import { verifyEnvelope } from "@quorate/attestation/dsse";
import { type OperatorPredicate, parseEntry } from "@quorate/attestation/log-statement";
import type { VerifySignature } from "@quorate/attestation/p256";
import type { OperatorId } from "@quorate/protocol/operator";
import { operatorIdOf } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import { unreachable } from "@quorate/protocol/unreachable";
import { utf8 } from "@quorate/protocol/utf8";
import { ProblemError } from "@quorate/service/problem";
import { parseBase64 } from "@quorate/tlog/base64";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type Enrolled, keysAt } from "@quorate/verdict/enrolled";
import { namedKey } from "@quorate/verdict/entry-signers";

/** What is known of operators when one of them says something. */
export type OperatorFacts = {
  enrolled: ReadonlyMap<OperatorId, Enrolled>;
  networkKey: Uint8Array;
  verify: VerifySignature;
};

export type SignedPredicate = {
  predicate: OperatorPredicate;
  /** As signed by the operator. */
  envelope: Uint8Array;
  /** It is in the log already. */
  isDone: boolean;
};

/**
 * What an operator says of itself, signed by it with the keys that it must be signed with.
 *
 * @throws ProblemError 422 when it is not, 404 for an operator that is not enrolled, 403 for one that is revoked, 409 when a key, a name or a
 *   hostname is another operator's
 */
export function verifyOperatorStatement(text: string, facts: OperatorFacts): SignedPredicate {
  try {
    const envelope = utf8(text);
    const entry = parseEntry(envelope);
    if (entry.statement.kind !== "operator") throw new ParseError("operator statement", entry.statement.kind);
    const { predicate } = entry.statement;
    const known = facts.enrolled.get(predicate.operator);
    if (predicate.action !== "enrol" && !known) throw notEnrolled(predicate.operator);
    const isDone = known !== undefined && isKnown(predicate, known);
    if (!isDone) {
      if (known?.revokedAt !== undefined) throw revoked(predicate.operator, known.revokedAt);
      verifyEnvelope(entry.envelope, signersOf(predicate, known, facts.networkKey), facts.verify);
      refuseTaken(predicate, facts);
    }
    return { predicate, envelope, isDone };
  } catch (error) {
    if (error instanceof ParseError || error instanceof VerificationError) {
      const detail = `the operator's statement cannot be taken: ${error.message}; sign it with the keys that it names`;
      throw new ProblemError(422, "malformed-operator-statement", detail, { cause: error });
    }
    throw error;
  }
}

export function notEnrolled(operator: string): ProblemError {
  return new ProblemError(404, "not-enrolled", `operator ${operator} is not enrolled in this network; run: quorate operator enrol`);
}

export function revoked(operator: string, index: number): ProblemError {
  return new ProblemError(403, "revoked", `operator ${operator} was revoked by entry ${index} of the log; enrol with a new key`);
}

/** Whoever was admitted and enrols again, or repeats the last change of keys, has what it asks for. */
function isKnown(predicate: OperatorPredicate, known: Enrolled): boolean {
  switch (predicate.action) {
    case "enrol":
      return known.revokedAt === undefined;
    case "rotate":
      return known.revokedAt === undefined && keysAt(known).identityKey === predicate.identityKey;
    case "revoke":
      return known.revokedAt !== undefined;
    default:
      return unreachable(predicate);
  }
}

function signersOf(predicate: OperatorPredicate, known: Enrolled | undefined, networkKey: Uint8Array): Uint8Array[] {
  const present = known ? [parseBase64("identity key", keysAt(known).identityKey)] : [];
  return predicate.action === "revoke" ? present : [...present, namedKey(predicate, networkKey)];
}

/** A key is one operator's for ever; a name and a hostname for as long as it is not revoked. */
function refuseTaken(predicate: OperatorPredicate, { enrolled, networkKey }: OperatorFacts): void {
  if (predicate.action === "revoke") return;
  const keyId = operatorIdOf(namedKey(predicate, networkKey));
  for (const { enrolment, rotations, revokedAt } of enrolled.values()) {
    const keys = [enrolment.identityKey, ...rotations.map(({ rotation }) => rotation.identityKey)];
    if (keys.some((key) => operatorIdOf(parseBase64("identity key", key)) === keyId)) {
      throw taken(`key ${keyId} is or was operator ${enrolment.operator}'s; make a new one`);
    }
    if (predicate.action === "rotate" || revokedAt !== undefined) continue;
    if (enrolment.name === predicate.name)
      throw taken(`an operator named ${JSON.stringify(predicate.name)} is enrolled; choose another name`);
    if (predicate.hostname !== undefined && enrolment.hostname === predicate.hostname) {
      throw taken(`the hostname ${predicate.hostname} is operator ${enrolment.operator}'s; choose another one`);
    }
  }
}

function taken(detail: string): ProblemError {
  return new ProblemError(409, "taken", detail);
}
