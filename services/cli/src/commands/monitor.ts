import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ConnectionError } from "@quorate/client/http";
import { type LogSource, logSourceOf, maxTileBytes } from "@quorate/client/log-source";
import { ParseError } from "@quorate/protocol/parse-error";
import { writeDurableFile } from "@quorate/service/durable-file";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyEd25519 } from "@quorate/signing/note-key";
import { verifyCheckpoint } from "@quorate/tlog/checkpoint";
import { maxNoteBytes, parseNote } from "@quorate/tlog/note";
import { parseTilePath, tilePath, tileWidth } from "@quorate/tlog/tile";
import { type WitnessPolicy, evaluateWitnessQuorum } from "@quorate/tlog/tlog-policy";
import { VerificationError } from "@quorate/tlog/verification-error";
import { witnessedCheckpointPath } from "@quorate/tlog/witness-request";
import { formatEquivocation } from "@quorate/verdict/equivocation";
import { checkNewFiles } from "../check-new-files.ts";
import { loadCheckState } from "../check-state.ts";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { findEquivocation } from "../find-equivocation.ts";
import { locateLog, logUrlOf } from "../log-location.ts";
import { loadTlogPolicy, type PolicyOptions } from "../reader-policy.ts";
import { type SeenCheckpoint, SeenCheckpoints } from "../seen-checkpoints.ts";

export type MonitorOptions = PolicyOptions & {
  log?: string | undefined;
  mirror?: string[] | undefined;
  once?: boolean | undefined;
  interval?: number | undefined;
  freshness?: number | undefined;
  json?: boolean | undefined;
};

const defaultIntervalSeconds = 60;
const defaultFreshnessSeconds = 3600;

type AlertKind = "equivocation" | "shrunk" | "inconsistent" | "bad-checkpoint" | "below-quorum" | "stale" | "files" | "unreachable";
type Alert = { readonly kind: AlertKind; readonly place: string; readonly reason: string; readonly evidence?: string };

/** Where checkpoints of the log are shown; `source` has tiles, except at a witness. */
type Place = { readonly name: string; readonly kind: "log" | "mirror" | "witness"; readonly path: string; readonly source: LogSource };

type Watch = {
  readonly directory: string;
  readonly policy: WitnessPolicy;
  readonly logUrl: string;
  readonly places: readonly Place[];
  readonly seen: SeenCheckpoints;
  readonly freshnessSeconds: number;
  readonly signal: AbortSignal;
};

/** `quorate monitor DIR`: keeps every checkpoint that the log, its witnesses and mirrors show, and alerts when they contradict each other. */
export async function runMonitor(directory: string, options: MonitorOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const watch = await openWatch(directory, options, context);
  for (;;) {
    const alerts = await lookOnce(watch);
    for (const alert of alerts) {
      if (options.json) terminal.printJson(alert);
      else
        terminal.print(
          `${alert.kind}  ${alert.place}: ${alert.reason}${alert.evidence === undefined ? "" : `; evidence in ${alert.evidence}`}`,
        );
    }
    if (alerts.length === 0 && !options.json) {
      terminal.say(`${watch.policy.logs[0]?.key.name}: ${watch.seen.largest()?.checkpoint.size ?? 0} entries, nothing to report`);
    }
    if (options.once) return alerts.length === 0 ? exitCodes.ok : exitCodes.refuted;
    await delay((options.interval ?? defaultIntervalSeconds) * 1000, undefined, { signal });
  }
}

async function openWatch(directory: string, options: MonitorOptions, context: CommandContext): Promise<Watch> {
  const policy = await loadTlogPolicy(options, context);
  const [log] = policy.logs;
  if (log === undefined) throw new CommandError("monitoring: the policy names no log; give --policy FILE with a log line");
  const logUrl = await locateLog(options, log.url, context);
  const mirrors = (options.mirror ?? []).map((location) => logUrlOf(location));
  const witnessed = witnessedCheckpointPath(log.key.name);
  return {
    directory,
    policy,
    logUrl,
    places: [
      { name: logUrl, kind: "log", path: "checkpoint", source: logSourceOf(logUrl) },
      ...mirrors.map((url): Place => ({ name: url, kind: "mirror", path: "checkpoint", source: logSourceOf(url) })),
      ...policy.witnesses.flatMap(({ name, url }): Place[] =>
        url === undefined ? [] : [{ name: `witness ${name}`, kind: "witness", path: witnessed, source: logSourceOf(url) }],
      ),
    ],
    seen: await SeenCheckpoints.open(join(directory, "checkpoints"), log.key),
    freshnessSeconds: options.freshness ?? defaultFreshnessSeconds,
    signal: context.signal,
  };
}

async function lookOnce(watch: Watch): Promise<Alert[]> {
  const alerts: Alert[] = [];
  for (const place of watch.places) {
    try {
      const seen = await fetchCheckpoint(watch, place);
      if (seen === undefined) continue;
      alerts.push(...(await contradictions(watch, place, seen)));
      if (place.kind === "log") alerts.push(...standing(watch, place, seen), ...(await fileProblems(watch, place, seen)));
      await watch.seen.keep(seen);
    } catch (error) {
      watch.signal.throwIfAborted();
      alerts.push({ kind: alertKindOf(error), place: place.name, reason: errorLine(error) });
    }
  }
  return alerts;
}

function alertKindOf(error: unknown): AlertKind {
  if (error instanceof ParseError) return "bad-checkpoint";
  return error instanceof VerificationError ? "inconsistent" : "unreachable";
}

/** A witness that has not seen the log yet shows nothing. */
async function fetchCheckpoint({ policy, signal }: Watch, { kind, path, source }: Place): Promise<SeenCheckpoint | undefined> {
  const bytes = await source(path, { maxBytes: maxNoteBytes, signal });
  if (bytes === undefined && kind === "witness") return undefined;
  if (bytes === undefined) throw new ConnectionError("reading the checkpoint", "there is none");
  const note = new TextDecoder().decode(bytes);
  const [log] = policy.logs;
  if (log === undefined) return undefined;
  return { note, checkpoint: verifyCheckpoint(note, log.key, verifyEd25519).checkpoint };
}

/** Compares a checkpoint with those of its size, and with the largest that was seen anywhere. */
async function contradictions(watch: Watch, place: Place, seen: SeenCheckpoint): Promise<Alert[]> {
  const largest = watch.seen.largest();
  const others = [...watch.seen.ofSize(seen.checkpoint.size), ...(largest === undefined ? [] : [largest])];
  for (const other of new Set(others)) {
    const isLarger = seen.checkpoint.size > other.checkpoint.size;
    const tiles = isLarger && place.kind !== "witness" ? place.source : logSourceOf(watch.logUrl);
    const evidence = await findEquivocation(seen, other, { readTile: (path) => readTile(tiles, path, watch.signal), hasher: nodeHasher });
    if (evidence === undefined) continue;
    const [{ size }, file] = [seen.checkpoint, join(watch.directory, `equivocation-${other.checkpoint.size}-${seen.checkpoint.size}.json`)];
    await writeDurableFile(file, formatEquivocation(evidence));
    const reason = `its checkpoint of ${size} entries contradicts one of ${other.checkpoint.size} that the log signed too`;
    return [{ kind: "equivocation", place: place.name, reason, evidence: file }];
  }
  const shrunk = place.kind === "log" && largest !== undefined && largest.checkpoint.size > seen.checkpoint.size;
  if (!shrunk) return [];
  return [
    { kind: "shrunk", place: place.name, reason: `it shows ${seen.checkpoint.size} entries, and ${largest.checkpoint.size} were seen` },
  ];
}

/** Where only the full tile is left, that one is read. */
async function readTile(source: LogSource, path: string, signal: AbortSignal): Promise<Uint8Array> {
  const full = tilePath({ ...parseTilePath(path), width: tileWidth });
  const options = { maxBytes: maxTileBytes, signal };
  const bytes = (await source(path, options)) ?? (full === path ? undefined : await source(full, options));
  if (bytes === undefined) throw new ConnectionError(`reading ${path} of the log`, "it is missing");
  return bytes;
}

/** Whether enough witnesses stand behind what the log shows, and lately. */
function standing({ policy, freshnessSeconds }: Watch, place: Place, { note }: SeenCheckpoint): Alert[] {
  const { satisfied, witnesses } = evaluateWitnessQuorum(policy, parseNote(note), verifyEd25519);
  const oldest = Date.now() / 1000 - freshnessSeconds;
  const stale = witnesses.filter(({ time }) => time < oldest).map(({ name }) => name);
  const alerts: Alert[] = [];
  const by = witnesses.map(({ name }) => name).join(", ") || "none";
  if (!satisfied)
    alerts.push({ kind: "below-quorum", place: place.name, reason: `cosigned by ${by}, which is not the quorum ${policy.quorum}` });
  if (stale.length > 0) {
    const reason = `the cosignatures of ${stale.join(", ")} are older than ${freshnessSeconds} s`;
    alerts.push({ kind: "stale", place: place.name, reason });
  }
  return alerts;
}

/** Hashes what the log added since it was found whole, missing partial tiles included. */
async function fileProblems(
  { directory, logUrl, signal }: Watch,
  { name, source }: Place,
  { checkpoint }: SeenCheckpoint,
): Promise<Alert[]> {
  const statePath = join(directory, "checked");
  const state = await loadCheckState(statePath, checkpoint.origin);
  if (state !== undefined && state.size > checkpoint.size) return [];
  const check = await checkNewFiles({ url: logUrl, source, checkpoint, state, statePath, signal });
  return check.problems
    .slice(0, 20)
    .map(({ path, kind, reason }) => ({ kind: "files", place: name, reason: `${kind} ${path}: ${reason}` }));
}
