import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { checkLog } from "@quorate/client/check-log";
import { logSourceOf, partialWidthsOf } from "@quorate/client/log-source";
import { utf8 } from "@quorate/protocol/utf8";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { Acknowledged } from "../integration/log-acknowledged.ts";
import { allEntries, append, publishedCheckpoint } from "../integration/log-constellation.ts";
import type { FaultPlan, FaultReport } from "./fault-plan.ts";
import { keysOf, startWitnessed, textOf } from "./log-scenario.ts";
import type { LogScenario } from "./log-scenario.ts";
import { loseUnflushed } from "./lose-unflushed.ts";
import { startFaulted } from "./service-process.ts";
import type { FaultedProcess } from "./service-process.ts";

export type FaultRun = {
  readonly report: FaultReport;
  /** What was promised and not kept. */
  readonly broken: readonly string[];
  /** What the process said, to find out why. */
  readonly output: string;
};

type Witnessed = Awaited<ReturnType<typeof startWitnessed>>;

/** The log runs on a disk that fails at `point`, then starts again on one that does not. `path` is used up. */
export async function runLogFault(
  path: string,
  { scenario, point, chance }: { scenario: LogScenario; point: FaultPlan["point"]; chance: () => number },
): Promise<FaultRun> {
  await using witnessed = await startWitnessed(path);
  const disk = join(path, "disk");
  const told = new Acknowledged();
  const plan = { directory: disk, report: join(path, "report"), point };
  const log = await startFaulted("log", { plan, env: witnessed.env });
  const stuck = await appendAll(log, { witnessed, told });
  const { report, output, hung } = await log.stop();
  if (report.flushed !== undefined && report.metAt !== undefined) {
    loseUnflushed(disk, report, point?.fault === "power-lost" ? undefined : chance);
  }
  const broken = [...stuck, ...(hung ? ["the process did not end when it was told to"] : [])];
  try {
    broken.push(...(await brokenPromises(witnessed, { told, keys: [...keysOf(scenario).slice(-10), ...newKeys] })));
  } catch (error) {
    broken.push(`it does not start again, or serve: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return { report, broken, output };
}

const newKeys = Array.from({ length: 7 }, (_, number) => `new/${number}`);

/** Appends each entry once, the last three at once; a log that fails may answer 503 or nothing, but not keep silent. */
async function appendAll(log: FaultedProcess, { witnessed, told }: { witnessed: Witnessed; told: Acknowledged }): Promise<string[]> {
  const stuck: string[] = [];
  const appendOne = async (key: string, wait: "sequenced" | "published") => {
    if (log.url === undefined || log.ended()) return;
    try {
      const { index, leafHash, checkpoint } = await append(log.url, key, utf8(textOf(key)), wait);
      if (index === undefined || leafHash === undefined) return;
      told.note(index, textOf(key), checkpoint === undefined ? undefined : verified(checkpoint, witnessed));
    } catch (error) {
      if (error instanceof Error && error.name === "TimeoutError") stuck.push(`the log never answered who appended ${key}`);
    }
  };
  for (const [number, key] of newKeys.slice(0, -3).entries()) await appendOne(key, number % 2 === 0 ? "published" : "sequenced");
  await Promise.all(newKeys.slice(-3).map((key) => appendOne(key, "published")));
  return stuck;
}

function verified(note: string, { config }: Witnessed): Checkpoint {
  return verifyCosignedCheckpoint(note, config.policy, verifyNoteSignature).checkpoint;
}

/**
 * What a log that starts again owes: every index that it gave holds its bytes, every key its index, whatever is sent under it now; what it has
 * published, and had cosigned, is a prefix (the same witness cosigns again); its files are whole, and none is left over.
 */
async function brokenPromises(witnessed: Witnessed, { told, keys }: { told: Acknowledged; keys: readonly string[] }): Promise<string[]> {
  const broken: string[] = [];
  let checkpoint: Checkpoint | undefined;
  {
    await using log = await witnessed.startLog();
    const indexOf = new Map<string, number>();
    for (const key of keys) {
      const { status, index, leafHash } = await appendPatiently(log.url, key, utf8(`other bytes for ${key}`), "sequenced");
      if (index === undefined || leafHash === undefined) throw new Error(`appending ${key} again: ${status}`);
      indexOf.set(key, index);
    }
    const { status } = await appendPatiently(log.url, "last", utf8("last"), "published");
    checkpoint = status === 200 ? await publishedCheckpoint(log.url, witnessed.config.policy) : undefined;
    if (checkpoint === undefined) return [`nothing is published after the start: ${status}`, ...witnessed.failures.map(String)];
    const entries = await allEntries(log.url, checkpoint);
    broken.push(...told.contradictions(entries), ...wrongIndices(indexOf, { told, entries }));
  }
  const url = pathToFileURL(join(witnessed.dataDirectory, "public")).href;
  const partialWidths = partialWidthsOf(url);
  const { problems } = await checkLog({ source: logSourceOf(url), checkpoint, hasher: nodeHasher, published: told.sizes, partialWidths });
  broken.push(...problems.map(({ kind, path, reason }) => `${kind} ${path}: ${reason}`), ...witnessed.failures.map(String));
  return broken;
}

const patience = 60;

/** A log that has started may say "try again" (503, `Retry-After: 1`) for as long as its witness is slow. */
async function appendPatiently(...entry: Parameters<typeof append>): ReturnType<typeof append> {
  for (let tries = 1; ; tries++) {
    const answer = await append(...entry);
    if (answer.status !== 503 || tries === patience) return answer;
    await delay(1000);
  }
}

/** A key's index has that key's bytes, old or new; an acknowledged key has the index that was acknowledged. */
function wrongIndices(indexOf: Map<string, number>, { told, entries }: { told: Acknowledged; entries: readonly Uint8Array[] }): string[] {
  return Array.from(indexOf).flatMap(([key, index]) => {
    const text = Buffer.from(entries[index] ?? []).toString();
    if (text !== textOf(key) && text !== `other bytes for ${key}`) return [`the key ${key} has index ${index}, where "${text}" is`];
    const acknowledged = Array.from(told.entries).find(([, acknowledgedText]) => acknowledgedText === textOf(key))?.[0];
    return acknowledged === undefined || acknowledged === index ? [] : [`the key ${key} had index ${acknowledged} and has ${index}`];
  });
}
