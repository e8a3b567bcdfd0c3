import { ApiError, ConnectionError } from "@quorate/client/http";
import { ParseError } from "@quorate/protocol/parse-error";
import { VerificationError } from "@quorate/tlog/verification-error";
import type { ReplayRule } from "@quorate/verdict/replay-error";
import { errorLine } from "../command-error.ts";

export type AlertKind =
  /** The log signed two checkpoints that no one log can have. */
  | "equivocation"
  /** The log shows fewer entries than it has signed for. */
  | "shrunk"
  /** Tiles do not lead to the root, or a signature is wrong. */
  | "inconsistent"
  /** What is shown is no checkpoint. */
  | "bad-checkpoint"
  | "below-quorum"
  /** The newest cosignatures of the log's checkpoint are too old for a quorum. */
  | "stale"
  /** They are of the future: what is old could look new. */
  | "ahead"
  /** One witness is behind the others. */
  | "lagging"
  /** Files of the log are missing or wrong. */
  | "files"
  /** An entry breaks a rule of the protocol: a verdict that its evidence does not give, a wrong signature, a chosen committee. */
  | "broken-rule"
  | "unreachable";

export type Alert = {
  readonly kind: AlertKind;
  /** A URL, or a witness of the policy. */
  readonly place: string;
  readonly reason: string;
  /** Path of a file for `quorate verify-evidence`. */
  readonly evidence?: string;
  /** Of an entry that breaks a rule: its index in the log, and the rule. */
  readonly index?: number;
  readonly rule?: ReplayRule;
};

export function alertLine({ kind, place, reason, evidence }: Alert): string {
  return `${kind}  ${place}: ${reason}${evidence === undefined ? "" : `; evidence in ${evidence}`}`;
}

/** What a place is to be blamed for; other errors are the monitor's own, and are thrown on. */
export function alertOfError(place: string, error: unknown): Alert {
  return { kind: kindOf(error), place, reason: errorLine(error) };
}

function kindOf(error: unknown): AlertKind {
  if (error instanceof ParseError) return "bad-checkpoint";
  if (error instanceof VerificationError) return "inconsistent";
  if (error instanceof ApiError || error instanceof ConnectionError) return "unreachable";
  throw error;
}
