import { isHashedRekord, parseHashedRekord } from "@quorate/attestation/hashed-rekord";
import { parseEntry } from "@quorate/attestation/log-statement";
import type { Api } from "@quorate/client/api";
import { createLogReader, type LogReader } from "@quorate/client/log-reader";
import { textOf } from "@quorate/protocol/utf8";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { sha256FromHash } from "@quorate/tlog/hash";
import { parseVkey } from "@quorate/tlog/note";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import { connect, type ConnectionOptions } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { logUrlOf } from "../log-location.ts";

export type LogOptions = ConnectionOptions & { log?: string | undefined; json?: boolean | undefined };

/** `quorate log checkpoint` */
export async function runLogCheckpoint(options: LogOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const { checkpoint, text } = await (await openReader(options, context)).checkpoint(signal);
  if (options.json) {
    terminal.printJson({
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: sha256FromHash(checkpoint.root),
      note: text,
    });
  } else {
    terminal.print(text.trimEnd());
  }
  return exitCodes.ok;
}

/** `quorate log entries`: one line an entry, with `--json` one JSON object a line. */
export async function runLogEntries(
  options: LogOptions & { from?: string | undefined; to?: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const reader = await openReader(options, context);
  const { size } = (await reader.checkpoint(signal)).checkpoint;
  const to = Math.min(size, options.to === undefined ? size : parseIndex("--to", options.to));
  const from = Math.min(to, options.from === undefined ? 0 : parseIndex("--from", options.from));
  for await (const { index, bytes } of reader.entries({ from, to, size }, signal)) {
    if (options.json) terminal.printJson({ index, ...shownOf(bytes) });
    else terminal.print(`${String(index).padStart(String(size).length)}  ${summaryOf(bytes)}`);
  }
  return exitCodes.ok;
}

/** `quorate log entry N`: the whole statement, its place in the tree checked. */
export async function runLogEntry(index: string, options: LogOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const reader = await openReader(options, context);
  const { size } = (await reader.checkpoint(signal)).checkpoint;
  const at = parseIndex("reading a log entry", index);
  if (at >= size) throw new CommandError(`reading log entry ${at}: the log has ${size} entries, the last is ${size - 1}`);
  const shown = { index: at, ...shownOf(await reader.entry(at, size)) };
  if (options.json) terminal.printJson(shown);
  else terminal.print(JSON.stringify(shown, null, 2));
  return exitCodes.ok;
}

async function openReader(options: LogOptions, { env, signal }: CommandContext): Promise<LogReader> {
  if (options.log !== undefined) return createLogReader({ url: logUrlOf(options.log) });
  const api: Api = await connect(options, env);
  const { logUrl, logKey } = await api.network({ signal });
  return createLogReader({ url: logUrl, signedBy: { keys: [parseVkey(logKey)], verify: verifyNoteSignature } });
}

function shownOf(bytes: Uint8Array): object {
  if (isHashedRekord(bytes)) return { kind: "hashedrekord", record: JSON.parse(textOf(bytes)) };
  const { digest, statement } = parseEntry(bytes);
  return { envelope: digest, ...statement };
}

function summaryOf(bytes: Uint8Array): string {
  if (isHashedRekord(bytes)) return `hashedrekord of what has digest ${short(parseHashedRekord(bytes).digest)}`;
  const { statement } = parseEntry(bytes);
  const { kind } = statement;
  switch (kind) {
    case "policy":
      return `policy      ${statement.policy.threshold} of ${statement.policy.committeeSize}`;
    case "operator":
      return `operator    ${statement.predicate.action} ${statement.predicate.operator}`;
    case "target":
      return `target      ${statement.target.distribution}/${statement.target.suite} ${statement.target.source} ${statement.target.version} (${statement.target.architecture})`;
    case "round":
      return `round       attempt ${statement.round.attempt}, ${statement.round.committee.length} operators, target ${short(statement.round.target)}`;
    case "commitment":
      return `commitment  by ${short(statement.commitment.operator)} in round ${short(statement.commitment.round)}`;
    case "result":
      return `result      ${statement.result.outcome} by ${short(statement.result.operator)} in round ${short(statement.result.round)}`;
    case "verdict":
      return `verdict     ${statement.verdict.outcome} in round ${short(statement.verdict.round)}`;
    case "large-envelope":
      return `envelope    of ${statement.large.sizeBytes} bytes, kept as blob ${short(statement.large.envelope)}`;
  }
}

function short(digest: string): string {
  return digest.slice(0, 12);
}

function parseIndex(what: string, text: string): number {
  if (!/^(?:0|[1-9]\d{0,14})$/.test(text)) throw new CommandError(`${what}: ${JSON.stringify(text)} is no entry index`);
  return Number(text);
}
