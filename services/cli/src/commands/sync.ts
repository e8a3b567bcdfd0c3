import { access, mkdir, readdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import type { VerifySignature } from "@quorate/attestation/p256";
import { blobFilePath } from "@quorate/client/blob-directory";
import { SnapshotArtifacts, loadSnapshot, snapshotLayout } from "@quorate/host/snapshot-directory";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { decideFreshness } from "@quorate/tlog/cosigned-time";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { VerificationError } from "@quorate/tlog/verification-error";
import type { LoadBlob } from "@quorate/verdict/replay-verdict";
import { type Snapshot, formatSnapshot, snapshotFormat } from "@quorate/verdict/snapshot";
import { type SnapshotArtifact, formatSnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import type { TrustPolicy } from "@quorate/verdict/trust-policy";
import { blobLoaderOf } from "../blob-loader.ts";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import { findConnection } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { type LogForReader, type LogReadOptions, openLogForReader } from "../log-for-reader.ts";
import { updateMirror } from "../mirror/update-mirror.ts";
import { holdDirectory } from "../held-directory.ts";
import { saveFile } from "../own-files.ts";
import { createCountedProgress } from "../progress/counted.ts";
import { loadReaderVerifier } from "../reader-verifier.ts";
import { type ReadVerdicts, readVerdicts } from "../read-verdicts.ts";
import { loadTrustPolicyText } from "../reader-policy.ts";
import { findRollback, saveSeenLog } from "../seen-log.ts";
import { defaultFreshnessSeconds, defaultSnapshotDirectory } from "../snapshot-defaults.ts";
import { unlessMissing } from "../unless-missing.ts";

export type SyncOptions = LogReadOptions & {
  into?: string | undefined;
  freshness?: number | undefined;
  trustedRoot?: string | undefined;
};

/** `quorate sync [URL]`: fetches what the log has added, verifies it under this host's own policy, and keeps it for use offline. */
export async function runSync(url: string | undefined, given: SyncOptions, context: CommandContext): Promise<ExitCode> {
  const options = url === undefined ? given : { ...given, url };
  const directory = options.into ?? defaultSnapshotDirectory;
  const { text: policyText, policy } = await loadTrustPolicyText(options, context);
  const verify = await loadReaderVerifier(options);
  using held = new DisposableStack();
  held.use(await holdDirectory(directory));
  const log = await openLogForReader(options, context);
  const freshness = freshnessOf(log, policy, options.freshness);
  if (freshness.kind !== "fresh") {
    throw new CommandError(`syncing from ${log.url}: ${freshness.reason}`, { exitCode: exitCodes.notReproduced });
  }
  const rollback = await findRollback(directory, log.checkpoint);
  if (rollback !== undefined) throw new CommandError(`syncing from ${log.url}: ${rollback}`, { exitCode: exitCodes.refuted });
  const { added } = await updateMirror(snapshotLayout(directory).log, log, context);
  const findBlob = blobLoaderOf(options, (await findConnection(options, context.env))?.url, context);
  // What the network does not have is missing, and no error: the verdicts that need it wait.
  const loadBlob: LoadBlob = (sha256) => unlessMissing(findBlob(sha256));
  const read = await readAdded({ directory, log, policy, policyText, verify, loadBlob, context });
  const missing = await fetchManifests({ directory, artifacts: read.artifacts, loadBlob, context });
  await saveSnapshot(directory, { policyText, note: log.note, read });
  await saveSeenLog(directory, log.checkpoint);
  const reproduced = read.artifacts.filter(({ outcome }) => outcome === "reproduced").length;
  const summary = {
    directory,
    size: log.checkpoint.size,
    added,
    checked: read.checked,
    waiting: read.waiting,
    artifacts: read.artifacts.length,
    reproduced,
    missingManifests: missing,
  };
  if (options.json) context.terminal.printJson(summary);
  else for (const line of summaryLines(summary, log.url)) context.terminal.print(line);
  return exitCodes.ok;
}

type Summary = Record<"directory", string> &
  Record<"size" | "added" | "checked" | "waiting" | "artifacts" | "reproduced" | "missingManifests", number>;

function summaryLines(
  { directory, size, added, checked, waiting, artifacts, reproduced, missingManifests }: Summary,
  url: string,
): string[] {
  return [
    `${directory} holds what ${url} says up to entry ${size}: ${added} entries and ${checked} verdicts are new, all checked`,
    `  ${artifacts} artifacts, ${reproduced} of them reproduced under your policy`,
    ...(waiting > 0 ? [`  ${waiting} verdicts wait for evidence that the network does not have now; run sync again`] : []),
    ...(missingManifests > 0 ? [`  ${missingManifests} manifests are not to be had; files of these packages cannot be verified`] : []),
  ];
}

function freshnessOf({ note }: LogForReader, { witnessPolicy: policy }: TrustPolicy, freshnessSeconds = defaultFreshnessSeconds) {
  const { witnesses } = verifyCosignedCheckpoint(note, policy, verifyNoteSignature);
  return decideFreshness({ policy, witnesses, now: new Date(), freshnessSeconds });
}

type Reading = {
  directory: string;
  log: LogForReader;
  policy: TrustPolicy;
  policyText: Uint8Array;
  verify: VerifySignature;
  loadBlob: LoadBlob;
  context: CommandContext;
};

async function readAdded({ directory, log, policy, policyText, verify, loadBlob, context }: Reading): Promise<ReadVerdicts> {
  const previous = await loadSnapshot(directory);
  // Under another policy everything that was concluded before is concluded again.
  const isSame = previous?.policy === nodeHasher.digest(policyText);
  if (previous !== undefined && !isSame) context.terminal.say("the policy has changed: all verdicts are checked again");
  const from = previous !== undefined && isSame ? await resumeFrom(directory, previous, policy) : { size: 0, carried: [], artifacts: [] };
  using progress = createCountedProgress(context.terminal, (count) => `checking: entry ${count} of ${log.checkpoint.size}`);
  try {
    const onEntry = (index: number) => progress.at(index + 1);
    return await readVerdicts({
      log: snapshotLayout(directory).log,
      checkpoint: log.checkpoint,
      policy,
      from,
      verify,
      loadBlob,
      onEntry,
      signal: context.signal,
    });
  } catch (cause) {
    if (!(cause instanceof VerificationError || cause instanceof ParseError)) throw cause;
    throw new CommandError(`syncing from ${log.url}: ${errorLine(cause)}; the snapshot stays as it was`, {
      exitCode: exitCodes.refuted,
      cause,
    });
  }
}

async function resumeFrom(directory: string, previous: Snapshot, { witnessPolicy }: TrustPolicy) {
  const { checkpoint } = verifyCosignedCheckpoint(previous.checkpoint, witnessPolicy, verifyNoteSignature);
  return { size: checkpoint.size, carried: previous.carried, artifacts: (await SnapshotArtifacts.load(directory, previous)).all() };
}

const fetchesAtOnce = 4;

/** Fetches every manifest that is not there yet, whichever packages this host has: nobody learns which. @returns how many are not to be had */
async function fetchManifests(given: {
  directory: string;
  artifacts: readonly SnapshotArtifact[];
  loadBlob: LoadBlob;
  context: CommandContext;
}): Promise<number> {
  const { directory, artifacts, loadBlob, context } = given;
  const { blobs } = snapshotLayout(directory);
  const wanted = new Set(artifacts.flatMap(({ manifest }) => manifest ?? [])).values();
  using progress = createCountedProgress(context.terminal, (count) => `fetching manifests: ${count}`);
  let [fetched, missing] = [0, 0];
  const lane = async () => {
    for (const sha256 of wanted) {
      context.signal.throwIfAborted();
      const path = blobFilePath(blobs, sha256);
      if (await exists(path)) continue;
      const bytes = await loadBlob(sha256);
      if (bytes === undefined) {
        missing += 1;
        continue;
      }
      await mkdir(dirname(path), { recursive: true });
      await saveFile(path, zstdCompressSync(bytes));
      progress.at((fetched += 1));
    }
  };
  await Promise.all(Array.from({ length: fetchesAtOnce }, lane));
  return missing;
}

/** The list of artifacts first, then the state that names it: a host that loses power between them has its old snapshot. */
async function saveSnapshot(
  directory: string,
  { policyText, note, read }: { policyText: Uint8Array; note: string; read: ReadVerdicts },
): Promise<void> {
  const layout = snapshotLayout(directory);
  const lines = read.artifacts.map((artifact) => `${formatSnapshotArtifact(artifact)}\n`).sort();
  const list = utf8(lines.join(""));
  const artifacts = nodeHasher.digest(list);
  await saveFile(layout.artifacts(artifacts), list);
  await saveFile(layout.policy, policyText);
  const snapshot: Snapshot = {
    format: snapshotFormat,
    checkpoint: note,
    policy: nodeHasher.digest(policyText),
    artifacts,
    carried: [...read.carried],
  };
  await saveFile(layout.state, formatSnapshot(snapshot));
  for (const name of await readdir(directory)) {
    if (name.startsWith("artifacts-") && name !== `artifacts-${artifacts}`) await unlink(join(directory, name));
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
