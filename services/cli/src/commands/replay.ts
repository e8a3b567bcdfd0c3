import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createBlobs } from "@quorate/client/blobs";
import { createLogReader, type LogReader } from "@quorate/client/log-reader";
import type { Sha256 } from "@quorate/protocol/digest";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyEd25519 } from "@quorate/signing/note-key";
import { verifyP256 } from "@quorate/signing/p256-key";
import { equalHashes } from "@quorate/tlog/hash";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { VerificationError } from "@quorate/tlog/verification-error";
import { createReplay } from "@quorate/verdict/replay";
import { ReplayError } from "@quorate/verdict/replay-error";
import { parseTrustPolicy, type TrustPolicy } from "@quorate/verdict/trust-policy";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import { type ConnectionOptions, dataDirectoryOf, findConnection } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { logUrlOf } from "../log-location.ts";
import { createLiveRegion } from "../progress/live-region.ts";

export type ReplayOptions = ConnectionOptions & { log?: string | undefined; policy?: string | undefined; json?: boolean | undefined };

/** `quorate replay`: reads the whole log and recomputes every verdict in it. */
export async function runReplay(options: ReplayOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const policy = await loadPolicy(options, context);
  const api = await findConnection(options, env);
  const url =
    options.log === undefined ? (policy.witnessPolicy.logs[0]?.url ?? (await logUrlOfNetwork(api?.url, signal))) : logUrlOf(options.log);
  const reader = createLogReader({ url, hasher: nodeHasher });
  try {
    const report = await replayLog({ reader, policy, apiUrl: api?.url, context });
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

type Report = { entries: number; verdicts: { index: number; outcome: string; target: Sha256; round: Sha256 }[]; witnesses: string[] };

async function replayLog(given: {
  reader: LogReader;
  policy: TrustPolicy;
  apiUrl: string | undefined;
  context: CommandContext;
}): Promise<Report> {
  const { reader, policy, apiUrl, context } = given;
  const { signal } = context;
  const { text } = await reader.checkpoint(signal);
  const { checkpoint, witnesses } = verifyCosignedCheckpoint(text, policy.witnessPolicy, verifyEd25519);
  const blobs = apiUrl === undefined ? undefined : createBlobs({ url: apiUrl });
  const loadBlob = (sha256: Sha256): Promise<Uint8Array> => {
    if (blobs) return blobs.get(sha256, { signal });
    throw new CommandError(`replaying: build trace ${sha256} is needed; set QUORATE_URL to the network that has it`);
  };
  const replay = createReplay({ networkKey: policy.network.key, loadBlob, verify: verifyP256, hasher: nodeHasher });
  using progress = replayProgress(checkpoint.size, context);
  for await (const entry of reader.entries({ from: 0, to: checkpoint.size, size: checkpoint.size }, signal)) {
    await replay.add(entry);
    progress.at(entry.index + 1);
  }
  if (!equalHashes(replay.rootAt(checkpoint.size), checkpoint.root)) {
    throw new VerificationError(`replaying: the ${checkpoint.size} entries that are served do not have the checkpoint's root`);
  }
  const { entries, verdicts } = replay.report();
  return {
    entries,
    verdicts: verdicts.map(({ index, verdict: { outcome, target, round } }) => ({ index, outcome, target, round })),
    witnesses: witnesses.map(({ name }) => name),
  };
}

function printReport(url: string, { entries, verdicts, witnesses }: Report, { terminal }: CommandContext): void {
  terminal.print(`replayed ${entries} entries of ${url}: every one is in its place and signed by whom it must be`);
  terminal.print(`recomputed ${verdicts.length} verdicts: every one is what its evidence gives`);
  for (const [outcome, of] of Map.groupBy(verdicts, (verdict) => verdict.outcome)) terminal.print(`  ${of.length} ${outcome}`);
  terminal.print(`checkpoint cosigned by ${witnesses.join(", ")}`);
}

function replayProgress(total: number, { terminal }: CommandContext): Disposable & { at(count: number): void } {
  if (!terminal.live) return { at: () => {}, [Symbol.dispose]: () => {} };
  const region = createLiveRegion(terminal);
  let drawn = 0;
  return {
    at(count) {
      const now = performance.now();
      if (count < total && now - drawn < 100) return;
      drawn = now;
      region.show([`replaying: ${count} of ${total} entries`]);
    },
    [Symbol.dispose]: () => region[Symbol.dispose](),
  };
}

async function loadPolicy(options: ReplayOptions, { env }: CommandContext): Promise<TrustPolicy> {
  const path = options.policy ?? join(dataDirectoryOf(options, env), "policy");
  try {
    return parseTrustPolicy(await readFile(path));
  } catch (cause) {
    throw new CommandError(`reading the policy ${path}: ${errorLine(cause)}; give --policy FILE: whose log it is, is for you to say`, {
      cause,
    });
  }
}

async function logUrlOfNetwork(apiUrl: string | undefined, signal: AbortSignal): Promise<string> {
  if (apiUrl === undefined) throw new CommandError("replaying: no network is known here; give --log URL or DIRECTORY, or set QUORATE_URL");
  const { createApi } = await import("@quorate/client/api");
  return (await createApi({ url: apiUrl }).network({ signal })).logUrl;
}
