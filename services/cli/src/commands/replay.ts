import { createLogReader, type LogReader } from "@quorate/client/log-reader";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyEd25519 } from "@quorate/signing/note-key";
import { verifyP256 } from "@quorate/signing/p256-key";
import { equalHashes } from "@quorate/tlog/hash";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type Replay, createReplay } from "@quorate/verdict/replay";
import { ReplayError } from "@quorate/verdict/replay-error";
import type { LoadBlob } from "@quorate/verdict/replay-verdict";
import type { TrustPolicy } from "@quorate/verdict/trust-policy";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import { blobLoaderOf } from "../blob-loader.ts";
import { type ConnectionOptions, findConnection } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { locateLog } from "../log-location.ts";
import { createCountedProgress } from "../progress/counted.ts";
import { loadTrustPolicy } from "../reader-policy.ts";
import { replayEntries } from "../replay/replay-entries.ts";

export type ReplayOptions = ConnectionOptions & { log?: string | undefined; policy?: string | undefined; json?: boolean | undefined };

/** `quorate replay`: reads the whole log and recomputes every verdict in it. */
export async function runReplay(options: ReplayOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, env } = context;
  const policy = await loadTrustPolicy(options, context);
  const api = await findConnection(options, env);
  const url = await locateLog(options, policy.witnessPolicy.logs[0]?.url, context);
  const reader = createLogReader({ url, hasher: nodeHasher });
  try {
    const report = await replayLog({ reader, policy, loadBlob: blobLoaderOf(options, api?.url, context), context });
    if (options.json) terminal.printJson({ consistent: true, ...report });
    else printReport(url, report, context);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof ReplayError || error instanceof VerificationError)) throw error;
    if (!options.json)
      throw new CommandError(`the log at ${url} is NOT consistent: ${errorLine(error)}`, { exitCode: exitCodes.refuted, cause: error });
    const where = error instanceof ReplayError ? { index: error.index, rule: error.rule } : {};
    terminal.printJson({ consistent: false, ...where, reason: errorLine(error) });
    return exitCodes.refuted;
  }
}

type Report = ReturnType<Replay["report"]> & { witnesses: string[] };

async function replayLog(given: { reader: LogReader; policy: TrustPolicy; loadBlob: LoadBlob; context: CommandContext }): Promise<Report> {
  const { reader, policy, loadBlob, context } = given;
  const { signal } = context;
  const { text } = await reader.checkpoint(signal);
  const { checkpoint, witnesses } = verifyCosignedCheckpoint(text, policy.witnessPolicy, verifyEd25519);
  const replay = createReplay({
    networkKey: policy.network.key,
    loadBlob,
    loadEntry: (index) => reader.entry(index, checkpoint.size),
    verify: verifyP256,
    hasher: nodeHasher,
  });
  using progress = createCountedProgress(context.terminal, (count) => `replaying: ${count} of ${checkpoint.size} entries`);
  const range = { from: 0, to: checkpoint.size, size: checkpoint.size };
  const networkKey = policy.network.key;
  await replayEntries({ replay, reader, range, networkKey, onEntry: (index) => progress.at(index + 1), signal });
  if (!equalHashes(replay.rootAt(checkpoint.size), checkpoint.root)) {
    throw new VerificationError(`replaying: the ${checkpoint.size} entries that are served do not have the checkpoint's root`);
  }
  const { entries, verdicts } = replay.report();
  return {
    entries,
    verdicts,
    witnesses: witnesses.map(({ name }) => name),
  };
}

function printReport(url: string, { entries, verdicts, witnesses }: Report, { terminal }: CommandContext): void {
  terminal.print(`replayed ${entries} entries of ${url}: every one is in its place and signed by whom it must be`);
  terminal.print(`recomputed ${verdicts.length} verdicts: every one is what its evidence gives`);
  for (const [outcome, of] of Map.groupBy(verdicts, (verdict) => verdict.outcome)) terminal.print(`  ${of.length} ${outcome}`);
  for (const { index, unrevealed } of verdicts.filter(({ unrevealed }) => unrevealed.length > 0)) {
    terminal.print(`  before the verdict at ${index}, ${unrevealed.join(", ")} committed to a result that is not in the log`);
  }
  terminal.print(`checkpoint cosigned by ${witnesses.join(", ")}`);
}
