import { openLargeEnvelope, parseEntry } from "@quorate/attestation/log-statement";
import type { Sha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { type Target, targetDigestOf } from "@quorate/protocol/target";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type ReplayState, known } from "./replay-state.ts";
import type { LoadBlob } from "./replay-verdict.ts";

/** An entry of the log that was replayed before; whoever asks checks what comes. */
export type LoadEntry = (index: number) => Promise<Uint8Array>;

/** Where what was replayed before is read again. */
export type Rereading = { readonly loadEntry: LoadEntry; readonly loadBlob: LoadBlob };

/**
 * A target that was logged before. One that has a verdict is no longer in memory: it is read again, and known by its digest.
 *
 * @throws ReplayError when it was not logged
 * @throws VerificationError when the log now has another entry in its place
 */
export async function targetOf(
  state: ReplayState,
  { digest, index, reason }: { digest: Sha256; index: number; reason: string },
  { loadEntry, loadBlob }: Rereading,
): Promise<Target> {
  const logged = known(state.targets.get(digest), { index, rule: "target", reason });
  if (logged.target !== undefined) return logged.target;
  const target = await targetIn(await loadEntry(logged.index), loadBlob);
  if (target === undefined || targetDigestOf(target) !== digest) {
    throw new VerificationError(`replaying entry ${index}: entry ${logged.index}, read again, is not the target ${digest} that it was`);
  }
  return target;
}

async function targetIn(bytes: Uint8Array, loadBlob: LoadBlob): Promise<Target | undefined> {
  try {
    const { statement } = parseEntry(bytes);
    if (statement.kind !== "large-envelope") return statement.kind === "target" ? statement.target : undefined;
    const large = await loadBlob(statement.large.envelope);
    const opened = large && openLargeEnvelope(statement.large, large).statement;
    return opened?.kind === "target" ? opened.target : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
