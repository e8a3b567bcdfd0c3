import type { Result } from "@quorate/protocol/result";
import { environmentPinDigestOf } from "@quorate/protocol/target";
import type { LoggedResult } from "./evidence.ts";
import { type ReplayState, demand, known } from "./replay-state.ts";

/**
 * Checks a result's entry against all before it, and takes it into the state. Whether a result of a logged round counts is for `evaluate`
 * to say; here is refused what the network should never have admitted.
 *
 * @throws ReplayError
 */
export function replayResult(state: ReplayState, { index, envelope, result }: LoggedResult): void {
  const replayed = known(state.rounds.get(result.round), {
    index,
    rule: "round",
    reason: `the result is of round ${result.round}, which was not logged before it`,
  });
  checkSubject(state, index, result, replayed.round.target);
  const { statement: commitment } = known(
    replayed.commitments.find(({ statement }) => statement.operator === result.operator),
    { index, rule: "commitment", reason: `operator ${result.operator} reveals a result in round ${result.round} without a commitment` },
  );
  const isCommitted = commitment.envelope === envelope;
  demand(isCommitted, { index, rule: "commitment", reason: `the operator committed to ${commitment.envelope}, and reveals ${envelope}` });
  replayed.results.push({ index, envelope, result });
}

function checkSubject(state: ReplayState, index: number, result: Result, targetDigest: Result["target"]): void {
  demand(result.target === targetDigest, {
    index,
    rule: "result",
    reason: `the result is of target ${result.target}, and its round of ${targetDigest}`,
  });
  const { target } = known(state.targets.get(targetDigest), { index, rule: "target", reason: "the round's target was not logged" });
  const different = (["distribution", "suite", "source", "version", "architecture"] as const).find((name) => result[name] !== target[name]);
  const reason = different && `the result is of ${different} ${result[different]}, and its target of ${target[different]}`;
  demand(reason === undefined, { index, rule: "result", reason: reason ?? "" });
  const environment = environmentPinDigestOf(target.environment);
  demand(result.environment === environment, {
    index,
    rule: "result",
    reason: `the result is of environment ${result.environment}, and its target's is ${environment}`,
  });
}
