import { digestOf, sampleBuilt, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { policyDigestOf } from "@quorate/attestation/log-statement";
import { defaultPolicy } from "@quorate/protocol/policy";
import type { OperatorId } from "@quorate/protocol/operator";
import type { Result } from "@quorate/protocol/result";
import { type Round, roundIdOf } from "@quorate/protocol/round";
import { environmentPinDigestOf, type Target, targetDigestOf } from "@quorate/protocol/target";
import type { Verdict, VerdictOutcome } from "@quorate/protocol/verdict";
import { operatorNamed } from "@quorate/verdict/network.fixture";

/** 250,002 results. */
export const largeNetwork = { targets: 83_334, resultsEach: 3, operators: ["ada", "bert", "cyd", "dora", "emil", "fred"] };

// Each of these takes a while, and is the same in all rounds.
const operatorIds = largeNetwork.operators.map(operatorNamed);
const policy = policyDigestOf(defaultPolicy);
const environment = environmentPinDigestOf(sampleTarget.environment);
const envelope = digestOf("envelope");

/** Log index of the first of its entries; a target has eight, one after the other. */
const firstIndex = 1000;
const entriesEach = 9;

/** A round of the large network: what the log would have of it, and where. */
export type LargeRound = {
  readonly number: number;
  readonly target: Target;
  readonly round: Round;
  readonly roundId: Verdict["round"];
  readonly results: readonly Result[];
  readonly verdict: Verdict;
  readonly indexes: { readonly target: number; readonly round: number; readonly results: readonly number[]; readonly verdict: number };
};

export const sha256Numbered = (number: number) => digestOf(`reference ${number}`);
export const sourceNumbered = (number: number) => `source-${number}`;

/** One in twenty is a mismatch, one in ten unreproducible. The same number gives the same round. */
export function largeRound(number: number): LargeRound {
  const { resultsEach } = largeNetwork;
  const target = targetNumbered(number);
  const digest = targetDigestOf(target);
  const roundId = roundIdOf(digest, 1);
  const committee = Array.from({ length: resultsEach }, (_, at) => operatorNumbered(number + at));
  const index = firstIndex + number * entriesEach;
  const indexes = {
    target: index,
    round: index + 1,
    results: committee.map((_, at) => index + 2 + resultsEach + at),
    verdict: index + 2 + 2 * resultsEach,
  };
  const artifacts = target.artifacts.map(({ file, sizeBytes, sha256 }) => ({ name: file, sizeBytes, sha256 }));
  return {
    number,
    target,
    roundId,
    round: {
      target: digest,
      attempt: 1,
      policy,
      seed: { size: indexes.target + 1, rootSha256: digestOf("root") },
      committee,
      standIns: [],
      standInsCalled: 0,
    },
    results: committee.map((operator) => ({
      ...sampleBuilt,
      operator,
      round: roundId,
      target: digest,
      environment,
      source: target.source,
      artifacts,
    })),
    verdict: verdictOf(target, { roundId, committee, indexes: indexes.results, number }),
    indexes,
  };
}

/** One after the other, again and again. */
export function operatorNumbered(number: number): OperatorId {
  const operator = operatorIds[number % operatorIds.length];
  if (operator === undefined) throw new RangeError(`operator ${number}`);
  return operator;
}

function targetNumbered(number: number): Target {
  const source = sourceNumbered(number);
  const artifacts = sampleTarget.artifacts.map((artifact) => ({
    ...artifact,
    file: `${source}_1_all.deb`,
    package: source,
    sha256: sha256Numbered(number),
  }));
  return { ...sampleTarget, source, artifacts };
}

type Ruled = { roundId: Verdict["round"]; committee: readonly OperatorId[]; indexes: readonly number[]; number: number };

function verdictOf(target: Target, { roundId, committee, indexes, number }: Ruled): Verdict {
  const outcome: VerdictOutcome = number % 20 === 0 ? "mismatch" : number % 10 === 1 ? "unreproducible" : "reproduced";
  return {
    target: targetDigestOf(target),
    round: roundId,
    policy,
    outcome,
    artifacts: target.artifacts.map(({ file, sha256 }) => ({
      file,
      reference: sha256,
      outcome,
      digests: [{ sha256: outcome === "reproduced" ? sha256 : digestOf(`built ${number}`), operators: [...committee] }],
    })),
    dissent: [],
    inputs: committee.map((operator, at) => ({ index: indexes[at] ?? 0, envelope, operator, standing: "counted" })),
    decidedAt: "2026-11-23T09:00:00Z",
  };
}
