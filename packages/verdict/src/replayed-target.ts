import { parseEntry } from "@quorate/attestation/log-statement";
import type { Sha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { type Target, targetDigestOf } from "@quorate/protocol/target";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type ReplayState, known } from "./replay-state.ts";

/** An entry of the log that was replayed before; whoever asks checks what comes. */
export type LoadEntry = (index: number) => Promise<Uint8Array>;

/**
 * A target that was logged before. One that has a verdict is no longer in memory: it is read again, and known by its digest.
 *
 * @throws ReplayError when it was not logged
 * @throws VerificationError when the log now has another entry in its place
 */
export async function targetOf(
  state: ReplayState,
  { digest, index, reason }: { digest: Sha256; index: number; reason: string },
  loadEntry: LoadEntry,
): Promise<Target> {
  const logged = known(state.targets.get(digest), { index, rule: "target", reason });
  if (logged.target !== undefined) return logged.target;
  const target = targetIn(await loadEntry(logged.index));
  if (target === undefined || targetDigestOf(target) !== digest) {
    throw new VerificationError(`replaying entry ${index}: entry ${logged.index}, read again, is not the target ${digest} that it was`);
  }
  return target;
}

function targetIn(bytes: Uint8Array): Target | undefined {
  try {
    const { statement } = parseEntry(bytes);
    return statement.kind === "target" ? statement.target : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
