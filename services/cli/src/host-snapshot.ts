import { readFile } from "node:fs/promises";
import { SnapshotArtifacts, loadSnapshot, snapshotLayout } from "@quorate/host/snapshot-directory";
import type { Sha256 } from "@quorate/protocol/digest";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { type Freshness, decideFreshness } from "@quorate/tlog/cosigned-time";
import { type Witnessed, verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { type TrustPolicy, parseTrustPolicy } from "@quorate/verdict/trust-policy";
import { CommandError, errorLine, exitCodes } from "./command-error.ts";
import { findRollback } from "./seen-log.ts";
import { defaultFreshnessSeconds, defaultSnapshotDirectory } from "./snapshot-defaults.ts";

export type SnapshotOptions = { snapshot?: string | undefined; policy?: string | undefined; freshness?: number | undefined };

/** A snapshot as commands use it offline. */
export type HostSnapshot = {
  readonly directory: string;
  readonly artifacts: SnapshotArtifacts;
  readonly policy: TrustPolicy;
  /** SHA-256 of the policy's text. */
  readonly policySha256: Sha256;
  readonly checkpoint: Checkpoint;
  readonly witnesses: readonly Witnessed[];
  readonly freshness: Freshness;
};

/**
 * Opens what `quorate sync` has kept. Its checkpoint and its policy are looked at again; the list of artifacts is as the last sync left it.
 *
 * @throws CommandError with the exit code of what could not be looked at
 */
export async function openSnapshot(options: SnapshotOptions): Promise<HostSnapshot> {
  const directory = options.snapshot ?? defaultSnapshotDirectory;
  try {
    const snapshot = await loadSnapshot(directory);
    if (snapshot === undefined) throw new Error("there is none; run quorate sync --policy FILE --into DIRECTORY");
    const text = await readFile(options.policy ?? snapshotLayout(directory).policy);
    const policySha256 = nodeHasher.digest(text);
    if (policySha256 !== snapshot.policy) throw new Error("it was verified under another policy; run quorate sync --policy FILE");
    const policy = parseTrustPolicy(text);
    const { checkpoint, witnesses } = verifyCosignedCheckpoint(snapshot.checkpoint, policy.witnessPolicy, verifyNoteSignature);
    const rollback = await findRollback(directory, checkpoint);
    if (rollback !== undefined) throw new Error(`${rollback}; run quorate sync`);
    const freshnessSeconds = options.freshness ?? defaultFreshnessSeconds;
    return {
      directory,
      artifacts: await SnapshotArtifacts.load(directory, snapshot),
      policy,
      policySha256,
      checkpoint,
      witnesses,
      freshness: decideFreshness({ policy: policy.witnessPolicy, witnesses, now: new Date(), freshnessSeconds }),
    };
  } catch (cause) {
    throw new CommandError(`opening the snapshot ${directory}: ${errorLine(cause)}`, { exitCode: exitCodes.notReproduced, cause });
  }
}
