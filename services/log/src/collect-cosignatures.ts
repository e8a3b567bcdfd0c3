import { verifyNoteSignature } from "@quorate/signing/note-key";
import { formatNote, parseNote } from "@quorate/tlog/note";
import type { NoteSignature } from "@quorate/tlog/note";
import { evaluateWitnessQuorum } from "@quorate/tlog/tlog-policy";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import type { SignedCheckpoint } from "./signed-checkpoint.ts";
import { WitnessError } from "./witness-client.ts";
import type { CosignatureRequest, WitnessClient } from "./witness-client.ts";

/** How long to wait for the other witnesses once the quorum is there: readers may ask for more witnesses than the log does. */
const graceMilliseconds = 50;

export type Collected = {
  /** The checkpoint with every cosignature that came. */
  readonly signed: SignedCheckpoint;
  readonly satisfied: boolean;
  readonly cosigned: readonly string[];
  readonly failures: readonly WitnessError[];
};

/** Asks all witnesses at once; done when all have answered, at the deadline, or some time after the quorum is there. */
export async function collectCosignatures(
  request: CosignatureRequest & { witnesses: readonly WitnessClient[]; policy: WitnessPolicy; deadlineMilliseconds: number },
): Promise<Collected> {
  const { signed, prove, witnesses, policy } = request;
  const { text, signatures } = parseNote(signed.note);
  const cosignatures = new Map<string, NoteSignature>();
  const failures: WitnessError[] = [];
  const note = () => ({ text, signatures: [...signatures, ...cosignatures.values()] });
  const satisfied = () => evaluateWitnessQuorum(policy, note(), verifyNoteSignature).satisfied;

  const round = new AbortController();
  const signal = AbortSignal.any([request.signal, round.signal, AbortSignal.timeout(request.deadlineMilliseconds)]);
  const enough = Promise.withResolvers<void>();
  let grace: NodeJS.Timeout | undefined;
  const asked = witnesses.map(async (witness) => {
    try {
      cosignatures.set(witness.name, await witness.cosign({ signed, prove, signal }));
      if (grace === undefined && satisfied()) grace = setTimeout(enough.resolve, graceMilliseconds);
    } catch (error) {
      failures.push(error instanceof WitnessError ? error : new WitnessError(witness.name, String(error), { cause: error }));
    }
  });
  await Promise.race([Promise.all(asked), enough.promise]);
  clearTimeout(grace);
  const collected: Collected = {
    signed: { checkpoint: signed.checkpoint, note: formatNote(text, note().signatures) },
    satisfied: satisfied(),
    cosigned: [...cosignatures.keys()],
    failures: [...failures],
  };
  round.abort(new Error("the quorum was reached without it"));
  return collected;
}
