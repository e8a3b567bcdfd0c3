import type { Sha256 } from "@quorate/protocol/digest";
import type { Result } from "@quorate/protocol/result";
import { type Target, environmentPinDigestOf } from "@quorate/protocol/target";
import type { LoggedResult } from "./evidence.ts";
import type { OperatorId } from "@quorate/protocol/operator";
import { type ReplayState, type ReplayedRound, demand, known } from "./replay-state.ts";
import { type Rereading, targetOf } from "./replayed-target.ts";

/**
 * Checks a result's entry against all before it, and takes it into the state. Whether a result of a logged round counts is for `evaluate`
 * to say; here is refused what the network should never have admitted.
 *
 * @throws ReplayError
 */
export async function replayResult(state: ReplayState, { index, envelope, result }: LoggedResult, rereading: Rereading): Promise<void> {
  const replayed = known(state.rounds.get(result.round), {
    index,
    rule: "round",
    reason: `the result is of round ${result.round}, which was not logged before it`,
  });
  await checkSubject(state, { index, result, replayed }, rereading);
  const committed = known(committedBy(replayed, result.operator), {
    index,
    rule: "commitment",
    reason: `operator ${result.operator} reveals a result in round ${result.round} without a commitment`,
  });
  const reason = `the operator committed to ${committed}, and reveals ${envelope}`;
  demand(committed === envelope, { index, rule: "commitment", reason });
  if (replayed.kind === "open") replayed.results.push({ index, envelope, result });
  else replayed.commitments.set(result.operator, null);
}

function committedBy(replayed: ReplayedRound, operator: OperatorId): Sha256 | undefined {
  if (replayed.kind === "settled") return replayed.commitments.get(operator) ?? undefined;
  return replayed.commitments.find(({ statement }) => statement.operator === operator)?.statement.envelope;
}

type Revealed = { readonly index: number; readonly result: Result; readonly replayed: ReplayedRound };

async function checkSubject(state: ReplayState, { index, result, replayed }: Revealed, rereading: Rereading): Promise<void> {
  const digest = replayed.kind === "open" ? replayed.round.target : replayed.target;
  demand(result.target === digest, {
    index,
    rule: "result",
    reason: `the result is of target ${result.target}, and its round of ${digest}`,
  });
  const { target, environment } =
    replayed.kind === "open" ? replayed : withEnvironment(await targetOf(state, { digest, index, reason: "it was not logged" }, rereading));
  const different = (["distribution", "suite", "source", "version", "architecture"] as const).find((name) => result[name] !== target[name]);
  const reason = different && `the result is of ${different} ${result[different]}, and its target of ${target[different]}`;
  demand(reason === undefined, { index, rule: "result", reason: reason ?? "" });
  demand(result.environment === environment, {
    index,
    rule: "result",
    reason: `the result is of environment ${result.environment}, and its target's is ${environment}`,
  });
}

function withEnvironment(target: Target): { target: Target; environment: Sha256 } {
  return { target, environment: environmentPinDigestOf(target.environment) };
}
