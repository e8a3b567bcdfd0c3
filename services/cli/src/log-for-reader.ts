import { ConnectionError } from "@quorate/client/http";
import { type LogSource, logSourceOf } from "@quorate/client/log-source";
import { ParseError } from "@quorate/protocol/parse-error";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { maxNoteBytes } from "@quorate/tlog/note";
import { verifyCosignedCheckpoint, type WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { VerificationError } from "@quorate/tlog/verification-error";
import { CommandError, errorLine, exitCodes } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import { locateLog } from "./log-location.ts";
import { loadTlogPolicy, type PolicyOptions } from "./reader-policy.ts";

export type LogReadOptions = PolicyOptions & { log?: string | undefined; json?: boolean | undefined };

/** A log as its readers take it: its newest checkpoint has the policy's quorum of witnesses. */
export type LogForReader = {
  readonly url: string;
  readonly source: LogSource;
  readonly policy: WitnessPolicy;
  readonly checkpoint: Checkpoint;
  readonly note: string;
};

export const noCheckpointReason = "there is none; a log is a URL or a directory with `checkpoint` and `tile/` below it";

/** @throws CommandError with exit code 2 when the checkpoint is not what the policy asks for */
export async function openLogForReader(options: LogReadOptions, context: CommandContext): Promise<LogForReader> {
  const policy = await loadTlogPolicy(options, context);
  const url = await locateLog(options, policy.logs[0]?.url, context);
  const source = logSourceOf(url);
  const bytes = await source("checkpoint", { maxBytes: maxNoteBytes, signal: context.signal });
  if (bytes === undefined) throw new ConnectionError(`reading the checkpoint of the log at ${url}`, noCheckpointReason);
  const note = new TextDecoder().decode(bytes);
  try {
    return { url, source, policy, note, checkpoint: verifyCosignedCheckpoint(note, policy, verifyNoteSignature).checkpoint };
  } catch (cause) {
    if (!(cause instanceof VerificationError || cause instanceof ParseError)) throw cause;
    throw new CommandError(`reading the log at ${url}: ${errorLine(cause)}`, { exitCode: exitCodes.refuted, cause });
  }
}
