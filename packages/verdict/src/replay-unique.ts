import { type OperatorPredicate, type PlainStatement, policyDigestOf } from "@quorate/attestation/log-statement";
import type { DigestOf, Sha256 } from "@quorate/protocol/digest";
import { entryKey } from "@quorate/protocol/entry";
import { type OperatorId, operatorIdOf } from "@quorate/protocol/operator";
import { roundIdOf } from "@quorate/protocol/round";
import { targetDigestOf } from "@quorate/protocol/target";
import { unreachable } from "@quorate/protocol/unreachable";
import { parseBase64 } from "@quorate/tlog/base64";
import { type ReplayState, type ReplayedRound, demand } from "./replay-state.ts";

/** An entry, with its identity if it is a policy or a target. */
type Unique = { readonly index: number; readonly statement: PlainStatement; readonly identity: Sha256 | undefined };

/**
 * The log appends an entry once: a second one with the logical key of another would be a second vote, target or verdict. What was logged
 * is in the state already: no list of keys is kept.
 *
 * @throws ReplayError
 */
export function checkUnique(state: ReplayState, { index, statement, identity }: Unique, digestOf: DigestOf): void {
  if (isLogged(state, { statement, identity }, digestOf)) {
    demand(false, { index, rule: "unique", reason: `there is an earlier entry for ${logicalKey(statement)}` });
  }
}

function isLogged(state: ReplayState, { statement, identity }: Omit<Unique, "index">, digestOf: DigestOf): boolean {
  switch (statement.kind) {
    case "policy":
      return identity !== undefined && state.policies.has(identity);
    case "operator":
      return isOperatorLogged(state, statement.predicate);
    case "target":
      return identity !== undefined && state.targets.has(identity);
    case "round": {
      const { target, attempt, standInsCalled } = statement.round;
      const earlier = state.rounds.get(roundIdOf(target, attempt, digestOf));
      return earlier !== undefined && calledIn(earlier) === standInsCalled;
    }
    case "commitment":
      return hasCommitted(state.rounds.get(statement.commitment.round), statement.commitment.operator);
    case "result":
      return hasRevealed(state.rounds.get(statement.result.round), statement.result.operator);
    case "verdict":
      return state.rounds.get(statement.verdict.round)?.kind === "settled";
    default:
      return unreachable(statement);
  }
}

function isOperatorLogged({ enrolled }: ReplayState, predicate: OperatorPredicate): boolean {
  const known = enrolled.get(predicate.operator);
  switch (predicate.action) {
    case "enrol":
      return known !== undefined;
    case "rotate":
      return known?.rotations.some(({ rotation }) => rotation.identityKey === predicate.identityKey) ?? false;
    case "revoke":
      return known?.revokedAt !== undefined;
    default:
      return unreachable(predicate);
  }
}

function calledIn(replayed: ReplayedRound): number {
  return replayed.kind === "open" ? replayed.round.standInsCalled : replayed.standInsCalled;
}

function hasCommitted(replayed: ReplayedRound | undefined, operator: OperatorId): boolean {
  if (replayed?.kind === "settled") return replayed.commitments.has(operator);
  return replayed?.commitments.some(({ statement }) => statement.operator === operator) ?? false;
}

function hasRevealed(replayed: ReplayedRound | undefined, operator: OperatorId): boolean {
  if (replayed?.kind === "settled") return replayed.commitments.get(operator) === null;
  return replayed?.results.some(({ result }) => result.operator === operator) ?? false;
}

/** The logical key of what an entry says: a log holds one entry of each. */
export function logicalKey(statement: PlainStatement): string {
  switch (statement.kind) {
    case "policy":
      return entryKey.policy(policyDigestOf(statement.policy));
    case "operator":
      return operatorKey(statement.predicate);
    case "target":
      return entryKey.target(targetDigestOf(statement.target));
    case "round":
      return entryKey.round(roundIdOf(statement.round.target, statement.round.attempt), statement.round.standInsCalled);
    case "commitment":
      return entryKey.commitment(statement.commitment.round, statement.commitment.operator);
    case "result":
      return entryKey.result(statement.result.round, statement.result.operator);
    case "verdict":
      return entryKey.verdict(statement.verdict.round);
    default:
      return unreachable(statement);
  }
}

function operatorKey(predicate: OperatorPredicate): string {
  switch (predicate.action) {
    case "enrol":
      return entryKey.enrolment(predicate.operator);
    case "rotate":
      return entryKey.rotation(predicate.operator, operatorIdOf(parseBase64("operator's identity key", predicate.identityKey)));
    case "revoke":
      return entryKey.revocation(predicate.operator);
    default:
      return unreachable(predicate);
  }
}
