import { type DigestOf, type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { Enrolment, OperatorId } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";
import type { Target } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import type { Hash } from "@quorate/tlog/hash";
import { hex } from "@scure/base";
import { type Enrolled, isEnrolledAt } from "./enrolled.ts";

export type Committee = { readonly committee: OperatorId[]; readonly standIns: OperatorId[] };

export type Draw = {
  /** Root hash of the round's seed checkpoint. */
  readonly seedRoot: Hash;
  readonly target: Sha256;
  readonly attempt: number;
  /** As `eligibleFor` gives them; in any order. */
  readonly eligible: readonly Enrolment[];
  readonly policy: Policy;
  readonly digestOf?: DigestOf;
};

/** A wish for distinct values among the committee: of a group that a diversity rule names, or that operators are counted once by. */
type Wish = { readonly distinct: number; readonly valueOf: (operator: Enrolment) => string | undefined };

/**
 * Draws the committee of a round, the same for everybody:
 *
 *     seed = SHA-256("quorate/committee/v1\n" ‖ root hash, 32 bytes ‖ target digest, 32 bytes ‖ attempt in decimal)
 *     rank of an operator = SHA-256(seed, 32 bytes ‖ operator id, 32 hexadecimal digits)
 *
 * Operators are taken by rising rank until the policy's committee size is reached. One is passed over when taking it would leave fewer
 * distinct values of a group than passing over it would. Who was not taken stands in, by rank.
 */
export function drawCommittee({ seedRoot, target, attempt, eligible, policy, digestOf = sha256Of }: Draw): Committee {
  const ranked = rank(seedOf({ seedRoot, target, attempt }, digestOf), eligible, digestOf);
  const wishes = wishesOf(policy);
  const taken: Enrolment[] = [];
  for (const [position, candidate] of ranked.entries()) {
    const seats = policy.committeeSize - taken.length;
    const later = ranked.slice(position + 1);
    if (seats === 0) break;
    const costs = wishes.some((wish) => reach(wish, [...taken, candidate], later, seats - 1) < reach(wish, taken, later, seats));
    if (!costs) taken.push(candidate);
  }
  // Seats that nobody better was left for go to those who were passed over.
  const rest = ranked.filter((operator) => !taken.includes(operator));
  const filled = [...taken, ...rest.splice(0, policy.committeeSize - taken.length)];
  return {
    committee: ranked.filter((operator) => filled.includes(operator)).map(({ operator }) => operator),
    standIns: rest.map(({ operator }) => operator),
  };
}

/** Who may be drawn for a target: enrolled and not revoked in the seed's tree, and able to build it. */
export function eligibleFor(
  target: Pick<Target, "architecture">,
  { enrolled, seedSize }: { enrolled: ReadonlyMap<OperatorId, Enrolled>; seedSize: number },
): Enrolment[] {
  return [...enrolled.values()]
    .filter((operator) => isEnrolledAt(operator, seedSize) && canBuild(operator.enrolment, target))
    .map(({ enrolment }) => enrolment);
}

/** Whether an operator builds this target: its enrolment names the target's architecture (`all` is one) and ecosystem. */
export function canBuild(enrolment: Enrolment, target: Pick<Target, "architecture">): boolean {
  return enrolment.architectures.includes(target.architecture) && enrolment.ecosystems.includes("debian");
}

function seedOf({ seedRoot, target, attempt }: Pick<Draw, "seedRoot" | "target" | "attempt">, digestOf: DigestOf): string {
  return digestOf(concat([utf8("quorate/committee/v1\n"), seedRoot, hex.decode(target), utf8(String(attempt))]));
}

function rank(seed: string, operators: readonly Enrolment[], digestOf: DigestOf): Enrolment[] {
  const prefix = hex.decode(seed);
  return operators
    .map((operator) => ({ operator, rank: digestOf(concat([prefix, utf8(operator.operator)])) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ operator }) => operator);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.length;
  }
  return joined;
}

function wishesOf({ diversity, countOnceBy, committeeSize }: Policy): Wish[] {
  return [
    ...diversity.map(({ group, distinct }): Wish => ({ distinct, valueOf: ({ groups }) => groups[group] })),
    // Who belongs to no such group counts for itself.
    ...countOnceBy.map((group): Wish => ({ distinct: committeeSize, valueOf: ({ groups, operator }) => groups[group] ?? `:${operator}` })),
  ];
}

/** How many distinct values, up to those wished for, a committee can still come to: those taken, and `seats` of `later`. */
function reach({ distinct, valueOf }: Wish, taken: readonly Enrolment[], later: readonly Enrolment[], seats: number): number {
  const present = valuesOf(taken, valueOf);
  const possible = [...valuesOf(later, valueOf)].filter((value) => !present.has(value));
  return Math.min(distinct, present.size + Math.min(seats, possible.length));
}

function valuesOf(operators: readonly Enrolment[], valueOf: Wish["valueOf"]): Set<string> {
  return new Set(operators.map(valueOf).filter((value) => value !== undefined));
}
