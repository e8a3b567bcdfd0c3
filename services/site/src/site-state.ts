import { verifyNoteSignature } from "@quorate/signing/note-key";
import { parseCheckpoint } from "@quorate/tlog/checkpoint";
import { parseNote } from "@quorate/tlog/note";
import { type Witnessed, type WitnessPolicy, evaluateWitnessQuorum } from "@quorate/tlog/tlog-policy";
import type { ReadModel } from "./read-model.ts";

/** How far the site has read the log, and whether it still can: at the foot of every page. */
export type SiteState = {
  readonly origin: string;
  readonly size: number;
  /** Size of the tree of the checkpoint; larger than what was read while the site is reading. */
  readonly treeSize: number;
  /** The signed checkpoint that was read under; empty when nothing was read yet. */
  readonly checkpoint: string;
  readonly witnesses: readonly Witnessed[];
  /** Counts the large envelopes that were opened: what they say is on pages before the log grows. */
  readonly opened: number;
  /** Since when the log cannot be read; undefined when it can. */
  readonly unreachableSince: Date | undefined;
};

type Given = { model: ReadModel; policy: WitnessPolicy; unreachableSince: () => Date | undefined };

export function createSiteState({ model, policy, unreachableSince }: Given): () => SiteState {
  const origin = policy.logs[0]?.key.name ?? "";
  let known: Omit<SiteState, "opened" | "unreachableSince"> = { origin, size: 0, treeSize: 0, checkpoint: "", witnesses: [] };
  return () => {
    const { size, checkpoint } = model.readTo();
    if (checkpoint !== known.checkpoint) {
      const note = parseNote(checkpoint);
      const { witnesses } = evaluateWitnessQuorum(policy, note, verifyNoteSignature);
      known = { origin, size, treeSize: parseCheckpoint(note.text).size, checkpoint, witnesses };
    } else if (size !== known.size) known = { ...known, size };
    return { ...known, opened: model.opened, unreachableSince: unreachableSince() };
  };
}
