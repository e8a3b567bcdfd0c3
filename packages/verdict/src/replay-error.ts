/** The rules that every entry of the log keeps; each names what an entry of it broke. */
export type ReplayRule =
  /** Entries come by index, from 0. */
  | "index"
  /** An entry is a canonical envelope of a known statement. */
  | "format"
  /** The large envelope that an entry names can be had. */
  | "envelope"
  /** An entry is signed by whom it must be. */
  | "signature"
  /** No two entries have one logical key. */
  | "unique"
  /** A key is one operator's, now and ever; only an operator that is not revoked changes its key. */
  | "key"
  /** A round is of a target that was logged before it. */
  | "target"
  /** Policies are versions 1, 2, 3 and so on; a round is under the newest that was logged before it, and its verdict under the same. */
  | "policy"
  /** Attempts are numbered from 1 without gaps; within one only the number of stand-ins called grows. */
  | "attempt"
  | "stand-ins"
  /** A round's seed is the log's own root, at a size after the target's entry and not after the round's. */
  | "seed"
  /** The committee and stand-ins are those that the seed draws. */
  | "committee"
  /** Commitments and results are of a logged round. */
  | "round"
  /** A result is what its operator committed to before. */
  | "commitment"
  /** A result is of the round's target. */
  | "result"
  /** A hashedrekord is of the signature of a result that was logged before it, and logged once. */
  | "record"
  /** The build traces that a verdict compares can be had. */
  | "trace"
  /** A verdict is what the evidence logged before it gives. */
  | "verdict";

/** Thrown at the first entry that breaks a rule of the protocol: whoever let it into the log is at fault. */
export class ReplayError extends Error {
  readonly index: number;
  readonly rule: ReplayRule;

  constructor({ index, rule, reason, cause }: { index: number; rule: ReplayRule; reason: string; cause?: unknown }) {
    super(`replaying entry ${index}: ${reason}`, { cause });
    this.name = "ReplayError";
    this.index = index;
    this.rule = rule;
  }
}
