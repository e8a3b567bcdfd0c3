import { readFile, stat } from "node:fs/promises";
import { type TraceFile, maxTraceBytes, parseTrace } from "@quorate/attestation/build-trace";
import { type Envelope, parseEnvelope } from "@quorate/attestation/dsse";
import { type Entry, openLargeEnvelope, parseEntry, parseStatement } from "@quorate/attestation/log-statement";
import type { Api } from "@quorate/client/api";
import { createLogReader } from "@quorate/client/log-reader";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import type { BuiltResult } from "@quorate/protocol/result";
import { textOf } from "@quorate/protocol/utf8";
import { envelopeInBundle } from "@quorate/signing/bundle";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { readTrace, traceDigestOf } from "@quorate/verdict/evidence";
import { blobLoaderOf } from "./blob-loader.ts";
import { CommandError } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import type { LogReadOptions } from "./log-for-reader.ts";
import { locateLog } from "./log-location.ts";
import { loadTlogPolicy } from "./reader-policy.ts";

/** A build trace, and the result that names it, where it is known. */
export type ResultTrace = {
  /** As on the command line. */
  readonly name: string;
  readonly files: readonly TraceFile[];
  readonly result?: BuiltResult;
  readonly index?: number;
};

export type LoadResultTrace = (name: string) => Promise<ResultTrace>;

/**
 * Finds results by log index, as ROUND/OPERATOR, or in files, and their build traces by digest. Entries are checked against a checkpoint with
 * the policy's witnesses, traces against what the results say of them; who signed a result is for `quorate replay` to check.
 */
export function createTraceLoader(options: LogReadOptions, api: Api | undefined, context: CommandContext): LoadResultTrace {
  const find = blobLoaderOf(options, api?.url, context);
  const loadBlob: LoadBlob = async (sha256) => {
    const bytes = await find(sha256);
    if (bytes === undefined) throw new CommandError(`reading blob ${sha256}: it is not to be had`);
    return bytes;
  };
  let log: ReturnType<typeof openLog> | undefined;
  const ofEntry = async (name: string, index: number): Promise<ResultTrace> => {
    const entry = parseEntry(await (await (log ??= openLog(options, context)))(index));
    return { ...(await ofResult(name, await opened(entry, loadBlob), loadBlob)), index };
  };
  return async (name) => {
    if (/^(?:0|[1-9]\d{0,14})$/.test(name)) return ofEntry(name, Number(name));
    const [, round, operator] = /^([0-9a-f]{64})\/(.+)$/.exec(name) ?? [];
    if (round === undefined || operator === undefined) return ofFile(name, loadBlob);
    return ofEntry(name, await resultIndexOf(api, { round: parseSha256(round), operator }, context));
  };
}

type LoadBlob = (sha256: Sha256) => Promise<Uint8Array>;

async function openLog(options: LogReadOptions, context: CommandContext): Promise<(index: number) => Promise<Uint8Array>> {
  const policy = await loadTlogPolicy(options, context);
  const url = await locateLog(options, policy.logs[0]?.url, context);
  const reader = createLogReader({ url, hasher: nodeHasher });
  const { size } = verifyCosignedCheckpoint((await reader.checkpoint(context.signal)).text, policy, verifyNoteSignature).checkpoint;
  return async (index) => {
    if (index < size) return reader.entry(index, size);
    throw new CommandError(`reading log entry ${index}: the log at ${url} has ${size} entries`);
  };
}

async function opened({ statement, envelope }: Entry, loadBlob: LoadBlob): Promise<Envelope> {
  if (statement.kind !== "large-envelope") return envelope;
  return openLargeEnvelope(statement.large, await loadBlob(statement.large.envelope)).envelope;
}

async function resultIndexOf(
  api: Api | undefined,
  { round, operator }: { round: Sha256; operator: string },
  { signal }: CommandContext,
): Promise<number> {
  const doing = `finding the result of ${operator} in round ${round}`;
  if (api === undefined) throw new CommandError(`${doing}: no network is known; set QUORATE_URL, or name the result by its log index`);
  const { jobs, verdict } = await api.round(round, { signal });
  const ids = new Set(jobs.filter((job) => job.operator === operator || job.operatorName === operator).map((job) => job.operator));
  if (ids.size !== 1) {
    const members = jobs.map((job) => job.operatorName).join(", ");
    throw new CommandError(`${doing}: ${ids.size} operators of the round have that name or id; its operators are ${members}`);
  }
  if (verdict === undefined) throw new CommandError(`${doing}: the round has no verdict yet; \`quorate status ${round}\` shows it`);
  const [index, ...more] = verdict.inputs.filter((input) => ids.has(input.operator)).map((input) => input.index);
  if (index === undefined) throw new CommandError(`${doing}: it revealed none before the verdict`);
  if (more.length > 0) throw new CommandError(`${doing}: there are several; name one by its log index: ${[index, ...more].join(", ")}`);
  return index;
}

/** A build trace itself, or a result: its Sigstore bundle, or its envelope. */
async function ofFile(path: string, loadBlob: LoadBlob): Promise<ResultTrace> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new CommandError(`reading ${path}: it is no log index, no ROUND/OPERATOR, and no file`);
  if (found.size > maxTraceBytes)
    throw new CommandError(`reading ${path}: it has ${found.size} bytes, and a build trace at most ${maxTraceBytes}`);
  const bytes = await readFile(path);
  if (bytes[0] !== "{".charCodeAt(0)) return { name: path, files: parseTrace(bytes) };
  const isBundle = bytes.includes('"mediaType"');
  return ofResult(path, isBundle ? envelopeInBundle(textOf(bytes)) : parseEnvelope(bytes), loadBlob);
}

async function ofResult(name: string, { payload }: Envelope, loadBlob: LoadBlob): Promise<ResultTrace> {
  const statement = parseStatement(payload);
  if (statement.kind !== "result") throw new CommandError(`${name} is no result; what it says is of kind ${statement.kind}`);
  const { result } = statement;
  const digest = traceDigestOf(result);
  if (result.outcome === "failed")
    throw new CommandError(`${name} is a failed build (${result.failure.message}), which has no build trace`);
  if (digest === undefined) throw new CommandError(`${name} is a result that names no build trace`);
  const files = readTrace(result, await loadBlob(digest), nodeHasher);
  if (files === undefined) {
    const { rootSha256, files: count } = result.trace;
    const signed = `its operator signed one of ${count} files with root ${rootSha256}`;
    throw new CommandError(`the build trace ${digest} of ${name} is malformed, or not the one that is described: ${signed}`);
  }
  return { name, files, result };
}
