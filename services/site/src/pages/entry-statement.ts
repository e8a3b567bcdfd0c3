import { isHashedRekord } from "@quorate/attestation/hashed-rekord";
import { type LogStatement, parseEntry } from "@quorate/attestation/log-statement";
import { ParseError } from "@quorate/protocol/parse-error";
import { roundIdOf } from "@quorate/protocol/round";
import { unreachable } from "@quorate/protocol/unreachable";
import { nodeHasher } from "@quorate/signing/node-hasher";

export type EntryStatement = LogStatement | { readonly kind: "record" } | { readonly kind: "unreadable"; readonly reason: string };

export function readEntry(bytes: Uint8Array): EntryStatement {
  if (isHashedRekord(bytes)) return { kind: "record" };
  try {
    return parseEntry(bytes, nodeHasher).statement;
  } catch (error) {
    if (error instanceof ParseError) return { kind: "unreadable", reason: error.message };
    throw error;
  }
}

/** What an entry says, in one line. */
export function entrySummary(statement: EntryStatement, nameOf: (operator: string) => string): string {
  switch (statement.kind) {
    case "policy":
      return `${statement.policy.threshold} of ${statement.policy.committeeSize} operators must agree`;
    case "operator":
      return `${nameOf(statement.predicate.operator)} ${operatorWords[statement.predicate.action]}`;
    case "target":
      return `${statement.target.source} ${statement.target.version} for ${statement.target.architecture} is to be rebuilt`;
    case "round":
      return `committee of ${statement.round.committee.length} drawn, attempt ${statement.round.attempt}`;
    case "commitment":
      return `${nameOf(statement.commitment.operator)} has a result, and binds itself to it`;
    case "result":
      return `${nameOf(statement.result.operator)} ${statement.result.outcome === "built" ? "built" : "failed to build"} ${statement.result.source} ${statement.result.version}`;
    case "verdict":
      return statement.verdict.outcome;
    case "large-envelope":
      return `an envelope of ${statement.large.sizeBytes} bytes, kept beside the log`;
    case "record":
      return "a result's signature, for Sigstore's clients";
    case "unreadable":
      return statement.reason;
    default:
      return unreachable(statement);
  }
}

const operatorWords = { enrol: "enrolled", rotate: "changed its key", revoke: "was revoked" } as const;

/** The round that an entry belongs to, if it belongs to one. */
export function roundOf(statement: EntryStatement): string | undefined {
  switch (statement.kind) {
    case "round":
      return roundIdOf(statement.round.target, statement.round.attempt);
    case "commitment":
      return statement.commitment.round;
    case "result":
      return statement.result.round;
    case "verdict":
      return statement.verdict.round;
    default:
      return undefined;
  }
}
