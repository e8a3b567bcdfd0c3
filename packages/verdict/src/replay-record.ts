import type { Sha256 } from "@quorate/protocol/digest";
import { type ReplayState, demand } from "./replay-state.ts";

/** Checks that a record is of a result logged before it: a result may be followed, once, by the record of its signature. @throws ReplayError */
export function replayRecord({ awaitedRecords }: ReplayState, { index, digest }: { index: number; digest: Sha256 }): void {
  const isAwaited = awaitedRecords.delete(digest);
  demand(isAwaited, { index, rule: "record", reason: "the hashedrekord is of no signature of a result before it, or logged twice" });
}
