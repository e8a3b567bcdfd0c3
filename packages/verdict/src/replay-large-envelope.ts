import { type Entry, type PlainStatement, openLargeEnvelope } from "@quorate/attestation/log-statement";
import type { LargeEnvelope } from "@quorate/protocol/large-envelope";
import { ParseError } from "@quorate/protocol/parse-error";
import { VerificationError } from "@quorate/tlog/verification-error";
import { ReplayError } from "./replay-error.ts";
import { known } from "./replay-state.ts";
import type { LoadBlob } from "./replay-verdict.ts";

/** What is said by the large envelope that an entry names. @throws ReplayError */
export async function replayLargeEnvelope(index: number, large: LargeEnvelope, loadBlob: LoadBlob): Promise<Entry<PlainStatement>> {
  const bytes = known(await loadBlob(large.envelope), {
    index,
    rule: "envelope",
    reason: `the entry names the envelope ${large.envelope} of ${large.sizeBytes} bytes, which is not to be had`,
  });
  try {
    return openLargeEnvelope(large, bytes);
  } catch (cause) {
    if (cause instanceof VerificationError || cause instanceof ParseError) {
      throw new ReplayError({ index, rule: "envelope", reason: cause.message, cause });
    }
    throw cause;
  }
}
