import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isHashedRekord } from "@quorate/attestation/hashed-rekord";
import { type LogStatement, parseEntry } from "@quorate/attestation/log-statement";
import { createLogReader } from "@quorate/client/log-reader";
import type { OperatorId } from "@quorate/protocol/operator";
import { roundIdOf } from "@quorate/protocol/round";
import type { Verdict, VerdictInput } from "@quorate/protocol/verdict";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { evaluate } from "@quorate/verdict/evaluate";
import { collectEvidence } from "@quorate/verdict/evidence";
import type { LoggedEntry } from "@quorate/verdict/logged-entry";
import { append, LogConstellation } from "../integration/log-constellation.ts";
import { quorate } from "../quorate.ts";

export async function readEntries(url: string): Promise<Uint8Array[]> {
  const reader = createLogReader({ url, hasher: nodeHasher });
  const { checkpoint } = await reader.checkpoint();
  const entries: Uint8Array[] = [];
  for await (const { bytes } of reader.entries({ from: 0, to: checkpoint.size, size: checkpoint.size })) entries.push(bytes);
  return entries;
}

/** Without the records of signatures, which follow from results: a log that lacks them is none the worse. */
export function withoutRecords(entries: readonly Uint8Array[]): Uint8Array[] {
  return entries.filter((bytes) => !isHashedRekord(bytes));
}

type Kind = LogStatement["kind"];

/** Place of the first entry of a kind, by this operator if one is given. */
export function placeOf(entries: readonly Uint8Array[], kind: Kind, operator?: OperatorId): number {
  const place = entries.findIndex((bytes) => {
    const { statement } = parseEntry(bytes);
    if (statement.kind !== kind) return false;
    if (operator === undefined) return true;
    return (
      (statement.kind === "commitment" && statement.commitment.operator === operator) ||
      (statement.kind === "result" && statement.result.operator === operator)
    );
  });
  if (place === -1) throw new Error(`there is no ${kind} entry`);
  return place;
}

/** What the first entry of a kind says. */
export function firstOf<Wanted extends Kind>(entries: readonly Uint8Array[], kind: Wanted): Extract<LogStatement, { kind: Wanted }> {
  const isWanted = (statement: LogStatement): statement is Extract<LogStatement, { kind: Wanted }> => statement.kind === kind;
  const statement = entries.map((bytes) => parseEntry(bytes).statement).find(isWanted);
  if (statement === undefined) throw new Error(`there is no ${kind} entry`);
  return statement;
}

/** The verdict on the log's one round that these entries give. `counting` makes results of that operator count, whatever the rules say. */
export function verdictOn(entries: readonly Uint8Array[], { counting }: { counting?: OperatorId } = {}): Verdict {
  const logged: LoggedEntry[] = entries.map((bytes, index) => ({ index, entry: parseEntry(bytes) }));
  const { policy } = firstOf(entries, "policy");
  const { round } = firstOf(entries, "round");
  const roundId = roundIdOf(round.target, round.attempt);
  const decision = evaluate(collectEvidence({ entries: logged, roundId, traces: new Map(), closed: true }), policy);
  if (decision.kind === "undecided") throw new Error("a closed round is decided");
  const { kind: _, inputs, ...decided } = decision;
  const counted = (input: VerdictInput): VerdictInput => (input.operator === counting ? { ...input, standing: "counted" } : input);
  return {
    ...decided,
    inputs: inputs.map(counted),
    target: round.target,
    round: roundId,
    policy: round.policy,
    decidedAt: "2026-11-25T08:00:00Z",
  };
}

/** Logs these entries in this order. */
export async function appendAll(url: string, entries: readonly Uint8Array[]): Promise<void> {
  for (const [place, bytes] of entries.entries()) {
    const { status } = await append(url, `forged/${place}`, bytes, place === entries.length - 1 ? "published" : "sequenced");
    if (status !== 200) throw new Error(`appending entry ${place}: ${status}`);
  }
}

/** The lines of a reader's policy about network and operators, without those about a log and its witnesses. */
export async function linesBesidesLog(policyFile: string): Promise<string> {
  return (await readFile(policyFile, "utf8")).replaceAll(/^(?:log|witness|group|quorum) .*\n/gm, "");
}

/** What `quorate replay` says of a log with these entries, to a reader with this policy about network and operators. */
export async function replayForged(
  entries: readonly Uint8Array[],
  { readerLines, apiUrl }: { readerLines: string; apiUrl: string },
): Promise<{ code: number; report: Record<string, unknown> }> {
  await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1 });
  await using log = await constellation.startLog();
  await appendAll(log.url, entries);
  const policyFile = join(constellation.directory, "policy");
  await writeFile(policyFile, `${constellation.policyText}${readerLines}`);
  const { code, stdout, stderr } = await quorate(["replay", "--log", log.url, "--policy", policyFile, "--json"], {
    env: { QUORATE_URL: apiUrl },
  });
  if (stdout === "") throw new Error(`quorate replay: ${stderr}`);
  return { code, report: JSON.parse(stdout) };
}
