import type { NoteKey } from "@quorate/tlog/note";
import { emptyRoot } from "@quorate/tlog/merkle";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import type { LogEvents } from "./events.ts";
import type { JournalRecord } from "./journal.ts";
import type { Head, LockStore } from "./lock-store.ts";
import { checkHeadIsNewest, checkPublished, recoverTree, RefusedToStartError } from "./recover.ts";
import { signCheckpoint, verifySigned } from "./signed-checkpoint.ts";
import type { LogSigners, SignedCheckpoint } from "./signed-checkpoint.ts";
import type { TileStore } from "./tile-store.ts";
import type { TreeEdge } from "./tree-edge.ts";

/** Clocks are stepped a little by time synchronisation. */
const clockToleranceMilliseconds = 5_000;

export type OpenLog = {
  readonly edge: TreeEdge;
  readonly head: Head;
  readonly newest: SignedCheckpoint;
  /** What was published last, if it still has the policy's quorum. */
  readonly published: SignedCheckpoint | undefined;
};

export type LogFiles = { readonly lock: LockStore; readonly store: TileStore; readonly records: readonly JournalRecord[] };

export type OpenOptions = LogSigners & {
  readonly policy: WitnessPolicy;
  readonly inceptionDate?: string | undefined;
  readonly now: () => number;
  readonly events: LogEvents;
};

/**
 * Opens the log that is stored, or creates it.
 * @throws RefusedToStartError when what is stored cannot be, so that going on might fork the log
 */
export async function openLog(files: LogFiles, options: OpenOptions): Promise<OpenLog> {
  const { signer, now, policy } = options;
  const head = (await files.lock.head()) ?? (await createLog(files, options));
  if (now() < head.signedAt - clockToleranceMilliseconds) {
    throw new RefusedToStartError(
      `the clock shows ${new Date(now()).toISOString()}, but a checkpoint was signed at ${new Date(head.signedAt).toISOString()}; set the clock`,
    );
  }
  const { checkpoint } = signedByUs(head.note, signer.key, "the lock store's checkpoint");
  if (checkpoint.size !== head.size) {
    throw new RefusedToStartError(`the lock store has a checkpoint of size ${checkpoint.size} as one of ${head.size}: it is damaged`);
  }
  // The same tree, signed again: there may be a key that the log did not have then.
  const newest = signCheckpoint(checkpoint, options, head.signedAt);
  const stored = { store: files.store, records: files.records, head: newest };
  await checkHeadIsNewest(stored);
  const edge = await recoverTree(stored);
  const published = await newestPublished(files, signer.key);
  if (published === undefined) return { edge, head, newest, published };
  await checkPublished(published, { store: files.store, head: newest });
  await files.store.write([{ path: "checkpoint", bytes: Buffer.from(published.note, "utf8") }]);
  return { edge, head, newest, published: hasQuorum(published, policy) ? published : undefined };
}

async function createLog({ lock, store, records }: LogFiles, options: OpenOptions): Promise<Head> {
  const { signer, inceptionDate, now, events } = options;
  if (!(await store.isEmpty()) || records.length > 0) {
    throw new RefusedToStartError(
      "there are tiles or staged entries, but no lock store that says what was signed; restore the newest lock store, or start another log",
    );
  }
  const today = new Date(now()).toISOString().slice(0, 10);
  if (inceptionDate !== undefined && inceptionDate !== today) {
    throw new RefusedToStartError(`the log is missing, and may be created on ${inceptionDate} only; restore its data`);
  }
  const signedAt = now();
  const { note } = signCheckpoint({ size: 0, root: emptyRoot }, options, signedAt);
  const head = { size: 0, note, signedAt };
  await lock.create(head);
  events.created(signer.key.name);
  return head;
}

async function newestPublished({ store, records }: LogFiles, key: NoteKey): Promise<SignedCheckpoint | undefined> {
  const published = records
    .filter((record) => record.kind === "published")
    .map(({ note }) => signedByUs(note, key, "a published checkpoint of the journal"));
  const file = await store.read("checkpoint");
  if (file !== undefined) {
    try {
      published.push(signedByUs(Buffer.from(file).toString("utf8"), key, "the file checkpoint"));
    } catch (error) {
      // A power failure may have torn it before it was flushed; what it said is in the journal then.
      if (published.length === 0) throw error;
    }
  }
  return published.reduce<SignedCheckpoint | undefined>(
    (newest, one) => (newest !== undefined && newest.checkpoint.size > one.checkpoint.size ? newest : one),
    undefined,
  );
}

function signedByUs(note: string, key: NoteKey, what: string): SignedCheckpoint {
  try {
    return verifySigned(note, key);
  } catch (error) {
    throw new RefusedToStartError(`${what} is not signed by this log's key ${key.name}; configure the key it was created with`, {
      cause: error,
    });
  }
}

function hasQuorum({ note }: SignedCheckpoint, policy: WitnessPolicy): boolean {
  try {
    verifyCosignedCheckpoint(note, policy, verifyNoteSignature);
    return true;
  } catch {
    // The policy has changed since; the newest checkpoint is about to be published under it.
    return false;
  }
}
