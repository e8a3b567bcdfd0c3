import { type HashedRekord, formatHashedRekord, hashedRekordOf, parseHashedRekord } from "@quorate/attestation/hashed-rekord";
import type { Entry } from "@quorate/attestation/log-statement";
import { ParseError } from "@quorate/protocol/parse-error";
import type { Hasher } from "@quorate/tlog/merkle";
import { ReplayError } from "./replay-error.ts";
import { type ReplayState, demand } from "./replay-state.ts";

/** A result may be followed, once, by the record of its signature: there is no other that the log takes. */
export function awaitRecord({ identityKeys, awaitedRecords }: ReplayState, entry: Entry, hasher: Hasher): void {
  const key = entry.statement.kind === "result" ? identityKeys.get(entry.statement.result.operator) : undefined;
  if (key !== undefined) awaitedRecords.add(hasher.digest(formatHashedRekord(hashedRekordOf(entry.envelope, key, hasher))));
}

/** Checks that a record is of a result logged before it. @throws ReplayError */
export function replayRecord(state: ReplayState, { index, bytes }: { index: number; bytes: Uint8Array }, hasher: Hasher): HashedRekord {
  const isAwaited = state.awaitedRecords.delete(hasher.digest(bytes));
  demand(isAwaited, { index, rule: "record", reason: "the hashedrekord is of no signature of a result before it, or logged twice" });
  try {
    return parseHashedRekord(bytes);
  } catch (cause) {
    if (cause instanceof ParseError) throw new ReplayError({ index, rule: "format", reason: cause.message, cause });
    throw cause;
  }
}
