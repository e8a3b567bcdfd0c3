import { leafHash } from "@quorate/tlog/merkle";
import { tileWidth } from "@quorate/tlog/tile";
import type { Verdict } from "@quorate/protocol/verdict";
import { TestNetwork } from "./network.fixture.ts";
import { ReplayError, type ReplayRule } from "./replay-error.ts";
import { type ReplayOptions, createReplay } from "./replay.ts";
import { verifyP256Portable } from "@quorate/attestation/portable-p256";

export const names = ["ada", "bert", "cyd"];

/** For tests: a log's last entry breaks a rule; what the entry is, the rule, what the message says, and how to make the log. */
export type Broken = [string, ReplayRule, RegExp, () => TestNetwork];

export function replayOptionsOf({ networkKey, entries, blobs, largeEnvelopes }: TestNetwork): ReplayOptions {
  return {
    networkKey: networkKey.spki,
    loadBlob: async (sha256) => blobs.get(sha256) ?? largeEnvelopes.get(sha256),
    loadEntry: async (index) => entries[index] ?? new Uint8Array(0),
    loadLeaves: async (tile) => entries.slice(tile * tileWidth, (tile + 1) * tileWidth).map((entry) => leafHash(entry)),
    verify: verifyP256Portable,
  };
}

export async function replayed(network: TestNetwork) {
  const { entries } = network;
  const replay = createReplay(replayOptionsOf(network));
  const verdicts: Verdict[] = [];
  for (const [index, bytes] of entries.entries()) {
    const statement = await replay.add({ index, bytes });
    if (statement.kind === "verdict") verdicts.push(statement.verdict);
  }
  return { ...replay, verdicts };
}

/** A network whose policy and operators are logged, and the target. */
export function prepared(): TestNetwork {
  const network = new TestNetwork();
  network.appendPolicy();
  for (const name of names) network.enrol(name);
  network.appendTarget();
  return network;
}

/** One whose round is logged, with every operator committed. */
export function committed() {
  const network = prepared();
  const round = network.roundFor();
  network.appendRound(round);
  const results = names.map((name) => network.signResult(name, { round }));
  for (const result of results) network.commit(result);
  return { network, round, results };
}

/** Why the replay of a log refuses its last entry. */
export async function refusalAtEnd(network: TestNetwork): Promise<ReplayError> {
  const error = await replayed(network).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof ReplayError)) throw new Error("the replay found nothing", { cause: error });
  if (error.index !== network.entries.length - 1) throw new Error("the replay refused an earlier entry", { cause: error });
  return error;
}

export function withRound() {
  const network = prepared();
  const round = network.roundFor();
  network.appendRound(round);
  const result = network.signResult("ada", { round });
  return { network, round, results: [result] as const };
}

export function revealed(digest?: string) {
  const network = prepared();
  const round = network.roundFor();
  network.appendRound(round);
  const results = names.map((name) => network.signResult(name, { round, ...(digest === undefined ? {} : { digest }) }));
  for (const result of results) network.commit(result);
  for (const { bytes } of results) network.appendBytes(bytes);
  return { network, round };
}
