import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { type Round, roundIdOf } from "@quorate/protocol/round";
import { type Target, environmentPinDigestOf } from "@quorate/protocol/target";
import { hashFromSha256, sha256FromHash } from "@quorate/tlog/hash";
import type { Hasher } from "@quorate/tlog/merkle";
import { drawCommittee, eligibleFor } from "./committee.ts";
import { policyInForce } from "./replay-policy.ts";
import { type ReplayState, demand, known } from "./replay-state.ts";
import { type Rereading, targetOf } from "./replayed-target.ts";

/** Checks a round's entry against all before it, and takes it into the state. @throws ReplayError */
export async function replayRound(
  state: ReplayState,
  { index, round }: { index: number; round: Round },
  { hasher, ...rereading }: Rereading & { readonly hasher: Hasher },
): Promise<void> {
  const id = roundIdOf(round.target, round.attempt, hasher.digest);
  const earlier = state.rounds.get(id);
  if (earlier === undefined) {
    const reason = `the round is of target ${round.target}, which was not logged before it`;
    const target = await targetOf(state, { digest: round.target, index, reason }, rereading);
    await checkNewRound(state, { index, round, target }, hasher);
    const environment = environmentPinDigestOf(target.environment, hasher.digest);
    state.rounds.set(id, { kind: "open", round, target, environment, commitments: [], results: [] });
  } else {
    demand(earlier.kind === "open", { index, rule: "stand-ins", reason: "the round has its verdict, and calls a stand-in" });
    checkStandIns(index, earlier.round, round);
    earlier.round = round;
  }
}

function checkStandIns(index: number, earlier: Round, round: Round): void {
  const isSame = formatCanonicalJson({ ...round, standInsCalled: 0 }) === formatCanonicalJson({ ...earlier, standInsCalled: 0 });
  demand(isSame, { index, rule: "stand-ins", reason: "the round was logged before, and more has changed than the stand-ins called" });
  const calls = round.standInsCalled > earlier.standInsCalled && round.standInsCalled <= round.standIns.length;
  const reason = `the round calls ${round.standInsCalled} stand-ins of ${round.standIns.length}, after ${earlier.standInsCalled}`;
  demand(calls, { index, rule: "stand-ins", reason });
}

async function checkNewRound(
  state: ReplayState,
  { index, round, target }: { index: number; round: Round; target: Target },
  { digest: digestOf }: Hasher,
): Promise<void> {
  const policy = known(state.policies.get(round.policy), {
    index,
    rule: "policy",
    reason: `the round is under policy ${round.policy}, which was not logged before it`,
  });
  const inForce = policyInForce(state);
  demand(round.policy === inForce?.digest, {
    index,
    rule: "policy",
    reason: `the round is under policy version ${policy.version}, and version ${inForce?.policy.version} is in force`,
  });
  const isNext = round.attempt === 1 || state.rounds.has(roundIdOf(round.target, round.attempt - 1, digestOf));
  demand(isNext, { index, rule: "attempt", reason: `this is attempt ${round.attempt}, and attempt ${round.attempt - 1} was not logged` });
  demand(round.standInsCalled === 0, { index, rule: "stand-ins", reason: "the round calls stand-ins before the committee was logged" });
  await checkSeed(state, index, round);
  const eligible = eligibleFor(target, { enrolled: state.enrolled, seedSize: round.seed.size });
  const seedRoot = hashFromSha256(round.seed.rootSha256);
  const drawn = drawCommittee({ seedRoot, target: round.target, attempt: round.attempt, eligible, policy, digestOf });
  const isDrawn = drawn.committee.join() === round.committee.join() && drawn.standIns.join() === round.standIns.join();
  const reason = `the committee is ${round.committee.join(", ")}, and the seed draws ${drawn.committee.join(", ") || "nobody"}`;
  demand(isDrawn, {
    index,
    rule: "committee",
    reason: drawn.committee.join() === round.committee.join() ? "the stand-ins are not those drawn" : reason,
  });
}

async function checkSeed(state: ReplayState, index: number, round: Round): Promise<void> {
  const { size, rootSha256 } = round.seed;
  const targetIndex = state.targets.get(round.target)?.index ?? Number.POSITIVE_INFINITY;
  demand(size > targetIndex, {
    index,
    rule: "seed",
    reason: `the seed is the tree of ${size}, which lacks the target's entry ${targetIndex}`,
  });
  demand(size <= index, { index, rule: "seed", reason: `the seed is the tree of ${size}, which did not exist when the round was logged` });
  const root = sha256FromHash(await state.tree.rootAt(size));
  demand(root === rootSha256, {
    index,
    rule: "seed",
    reason: `the seed names root ${rootSha256} for the tree of ${size}, and its root is ${root}`,
  });
}
