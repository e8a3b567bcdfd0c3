import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";
import type { Round } from "@quorate/protocol/round";
import type { Target } from "@quorate/protocol/target";
import type { Verdict } from "@quorate/protocol/verdict";
import type { Enrolled } from "./enrolled.ts";
import type { LoggedCommitment, LoggedResult } from "./evidence.ts";
import type { PrefixTree } from "./prefix-tree.ts";
import { ReplayError, type ReplayRule } from "./replay-error.ts";

export type ReplayedRound = {
  /** As last logged. */
  round: Round;
  readonly commitments: LoggedCommitment[];
  readonly results: LoggedResult[];
  verdictIndex?: number;
};

export type ReplayedVerdict = { readonly index: number; readonly verdict: Verdict };

/** What the entries so far have said. */
export type ReplayState = {
  readonly tree: PrefixTree;
  readonly logicalKeys: Set<string>;
  readonly policies: Map<Sha256, Policy>;
  readonly enrolled: Map<OperatorId, Enrolled>;
  /** The key that each operator signs with now. */
  readonly identityKeys: Map<OperatorId, Uint8Array>;
  /** Whose each key is or was, by the id that it gives as a first key. */
  readonly keyOwners: Map<OperatorId, OperatorId>;
  readonly targets: Map<Sha256, { readonly index: number; readonly target: Target }>;
  readonly rounds: Map<Sha256, ReplayedRound>;
  readonly verdicts: ReplayedVerdict[];
};

/** Refuses an entry unless a rule is kept. */
export function demand(kept: boolean, refusal: { index: number; rule: ReplayRule; reason: string }): asserts kept {
  if (!kept) throw new ReplayError(refusal);
}

/** What was logged before. @throws ReplayError when it was not */
export function known<Value>(value: Value | undefined, refusal: { index: number; rule: ReplayRule; reason: string }): Value {
  if (value === undefined) throw new ReplayError(refusal);
  return value;
}
