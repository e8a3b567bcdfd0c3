import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";
import type { Round } from "@quorate/protocol/round";
import type { Target } from "@quorate/protocol/target";
import type { VerdictOutcome } from "@quorate/protocol/verdict";
import type { Enrolled } from "./enrolled.ts";
import type { LoggedCommitment, LoggedResult } from "./evidence.ts";
import type { RecentTree } from "./recent-tree.ts";
import { ReplayError, type ReplayRule } from "./replay-error.ts";

export type ReplayedTarget = {
  /** Where it is logged. */
  readonly index: number;
  /** Kept until the first verdict on it; after that it is read again when it is needed. */
  target?: Target;
  newestVerdict?: number;
};

/** A round without a verdict, with all its evidence. */
export type OpenRound = {
  readonly kind: "open";
  /** As last logged. */
  round: Round;
  readonly target: Target;
  readonly environment: Sha256;
  readonly commitments: LoggedCommitment[];
  readonly results: LoggedResult[];
};

/** What is kept of a round that has its verdict. */
export type SettledRound = {
  readonly kind: "settled";
  readonly target: Sha256;
  readonly standInsCalled: number;
  readonly outcome: VerdictOutcome;
  /** Under the rules of whoever replays, if they brought some. */
  readonly ownOutcome?: VerdictOutcome;
  readonly verdictIndex: number;
  /** The envelope that each operator committed to; null once it is revealed. */
  readonly commitments: Map<OperatorId, Sha256 | null>;
};

export type ReplayedRound = OpenRound | SettledRound;

/** What the entries so far have said, as far as later entries are checked against it. */
export type ReplayState = {
  readonly tree: RecentTree;
  /** By version. */
  readonly policies: Map<Sha256, Policy>;
  readonly enrolled: Map<OperatorId, Enrolled>;
  /** The key that each operator signs with now. */
  readonly identityKeys: Map<OperatorId, Uint8Array>;
  /** Whose each key is or was, by the id that it gives as a first key. */
  readonly keyOwners: Map<OperatorId, OperatorId>;
  readonly targets: Map<Sha256, ReplayedTarget>;
  readonly rounds: Map<Sha256, ReplayedRound>;
  /** Digests of the records of results that are not logged yet. */
  readonly awaitedRecords: Set<Sha256>;
};

/** What is known before the first entry. */
export function emptyState(tree: RecentTree): ReplayState {
  return {
    tree,
    policies: new Map(),
    enrolled: new Map(),
    identityKeys: new Map(),
    keyOwners: new Map(),
    targets: new Map(),
    rounds: new Map(),
    awaitedRecords: new Set(),
  };
}

/** Refuses an entry unless a rule is kept. */
export function demand(kept: boolean, refusal: { index: number; rule: ReplayRule; reason: string }): asserts kept {
  if (!kept) throw new ReplayError(refusal);
}

/** What was logged before. @throws ReplayError when it was not */
export function known<Value>(value: Value | undefined, refusal: { index: number; rule: ReplayRule; reason: string }): Value {
  if (value === undefined) throw new ReplayError(refusal);
  return value;
}
