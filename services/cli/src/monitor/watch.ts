import { join } from "node:path";
import { type LogSource, logSourceOf } from "@quorate/client/log-source";
import type { NoteKey } from "@quorate/tlog/note";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { witnessedCheckpointPath } from "@quorate/tlog/witness-request";
import { findBlobLoader } from "../blob-loader.ts";
import { loadCheckState } from "../check-state.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { locateLog, logUrlOf } from "../log-location.ts";
import { loadTlogPolicy, loadTrustedNetwork, type PolicyOptions } from "../reader-policy.ts";
import { loadReaderVerifier } from "../reader-verifier.ts";
import type { Terminal } from "../terminal.ts";
import { SeenCheckpoints } from "./seen-checkpoints.ts";
import { VerdictFollower } from "./verdict-follower.ts";

export type WatchOptions = PolicyOptions & {
  readonly log?: string | undefined;
  readonly mirror?: readonly string[] | undefined;
  readonly freshness?: number | undefined;
  readonly trustedRoot?: string | undefined;
};

/** Where checkpoints of the log are shown; `tiles` is absent at a witness, which has none. */
export type Place = {
  readonly name: string;
  readonly kind: "log" | "mirror" | "witness";
  readonly path: string;
  readonly source: LogSource;
  readonly tiles?: LogSource;
};

/** What a monitor looks at and what it remembers; its directory holds all of it. */
export type Watch = {
  readonly directory: string;
  readonly policy: WitnessPolicy;
  readonly logKey: NoteKey;
  readonly logUrl: string;
  /** The log first: what others show is compared with it. */
  readonly places: readonly Place[];
  readonly seen: SeenCheckpoints;
  /** Every checkpoint seen up to this size has been compared with one of the log. */
  comparedSize: number;
  readonly freshnessSeconds: number;
  /** Absent where the policy names no network, or none can be asked for what verdicts are reached from. */
  readonly verdicts: VerdictFollower | undefined;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
};

const defaultFreshnessSeconds = 3600;

export async function openWatch(directory: string, options: WatchOptions, context: CommandContext): Promise<Watch> {
  const policy = await loadTlogPolicy(options, context);
  const [log] = policy.logs;
  if (log === undefined) throw new CommandError("monitoring: the policy names no log; give --policy FILE with a log line");
  const logUrl = await locateLog(options, log.url, context);
  return {
    directory,
    policy,
    logKey: log.key,
    logUrl,
    places: placesOf(policy, { logUrl, mirrors: options.mirror ?? [], origin: log.key.name }),
    seen: await SeenCheckpoints.open(join(directory, "checkpoints"), log.key),
    comparedSize: (await loadCheckState(checkStatePath(directory), log.key.name))?.size ?? 0,
    freshnessSeconds: options.freshness ?? defaultFreshnessSeconds,
    verdicts: await followVerdicts({ logUrl, statePath: join(directory, "replayed") }, options, context),
    terminal: context.terminal,
    signal: context.signal,
  };
}

async function followVerdicts(
  { logUrl, statePath }: { logUrl: string; statePath: string },
  options: WatchOptions,
  context: CommandContext,
): Promise<VerdictFollower | undefined> {
  const network = await loadTrustedNetwork(options, context);
  const loadBlob = await findBlobLoader(options, context);
  const verify = await loadReaderVerifier(options);
  if (network !== undefined && loadBlob !== undefined)
    return new VerdictFollower(logUrl, { networkKey: network.key, loadBlob, verify, statePath });
  const missing = network === undefined ? "the policy has no network line" : "no network is known that has the build traces; give --url";
  context.terminal.say(`note: verdicts are not recomputed: ${missing}`);
  return undefined;
}

/** What was found whole of the log's files. */
export function checkStatePath(directory: string): string {
  return join(directory, "checked");
}

function placesOf(
  policy: WitnessPolicy,
  { logUrl, mirrors, origin }: { logUrl: string; mirrors: readonly string[]; origin: string },
): Place[] {
  const path = witnessedCheckpointPath(origin);
  return [
    tiled("log", logUrl),
    ...mirrors.map((location) => tiled("mirror", logUrlOf(location))),
    ...policy.witnesses.flatMap(({ name, url }): Place[] =>
      url === undefined ? [] : [{ name: `witness ${name}`, kind: "witness", path, source: logSourceOf(url) }],
    ),
  ];
}

function tiled(kind: "log" | "mirror", url: string): Place {
  const source = logSourceOf(url);
  return { name: url, kind, path: "checkpoint", source, tiles: source };
}
