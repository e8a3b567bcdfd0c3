import type { OperatorPredicate } from "@quorate/attestation/log-statement";
import { operatorIdOf } from "@quorate/protocol/operator";
import { noteOperator } from "./enrolled.ts";
import { namedKey } from "./entry-signers.ts";
import { type ReplayState, demand } from "./replay-state.ts";

/**
 * Checks an operator's entry, whose signatures have been verified, against all before it, and takes it into the state. A key that two
 * operators had would let one party vote twice; one that came back could be changed again with an old, replayed statement.
 *
 * @throws ReplayError
 */
export function replayOperator(
  state: ReplayState,
  { index, predicate }: { index: number; predicate: OperatorPredicate },
  networkKey: Uint8Array,
): void {
  const { operator } = predicate;
  if (predicate.action !== "revoke") {
    const key = namedKey(predicate, networkKey);
    const keyId = operatorIdOf(key);
    const owner = state.keyOwners.get(keyId);
    demand(owner === undefined, { index, rule: "key", reason: `its key ${keyId} is or was operator ${owner}'s` });
    const revokedAt = state.enrolled.get(operator)?.revokedAt;
    demand(revokedAt === undefined, { index, rule: "key", reason: `operator ${operator} was revoked by entry ${revokedAt}` });
    state.keyOwners.set(keyId, operator);
    state.identityKeys.set(operator, key);
  }
  noteOperator(state.enrolled, index, predicate);
}
