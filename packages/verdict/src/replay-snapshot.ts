import { commitmentSchema } from "@quorate/protocol/commitment";
import { sha256Schema } from "@quorate/protocol/digest";
import { enrolmentSchema, operatorIdOf, operatorIdSchema, rotationSchema } from "@quorate/protocol/operator";
import { policySchema } from "@quorate/protocol/policy";
import { resultSchema } from "@quorate/protocol/result";
import { roundIdOf, roundSchema } from "@quorate/protocol/round";
import { environmentPinDigestOf } from "@quorate/protocol/target";
import { verdictOutcomes } from "@quorate/protocol/verdict";
import { policyDigestOf } from "@quorate/attestation/log-statement";
import { parseBase64 } from "@quorate/tlog/base64";
import { z } from "zod";
import { type Enrolled, keysAt, type OperatorKeys } from "./enrolled.ts";
import type { RecentTree } from "./recent-tree.ts";
import type { ReplayState, ReplayedTarget } from "./replay-state.ts";
import { type Rereading, targetOf } from "./replayed-target.ts";

const index = z.int().min(0);

/** What a replay has learnt up to some size of the log, but for the tree itself and the targets, which the log has: one JSON value. */
export const replaySnapshotSchema = z.strictObject({
  policies: z.array(policySchema),
  operators: z.array(
    z.strictObject({
      enrolment: enrolmentSchema,
      enrolledAt: index,
      rotations: z.array(z.strictObject({ index, rotation: rotationSchema })),
      revokedAt: index.optional(),
    }),
  ),
  /** Each digest, where it is logged, and the newest verdict on it. */
  targets: z.array(z.tuple([sha256Schema, index, index.nullable()])),
  open: z.array(
    z.strictObject({
      round: roundSchema,
      commitments: z.array(z.strictObject({ index, statement: commitmentSchema })),
      results: z.array(z.strictObject({ index, envelope: sha256Schema, result: resultSchema })),
    }),
  ),
  settled: z.array(
    z.strictObject({
      round: sha256Schema,
      target: sha256Schema,
      standInsCalled: index,
      outcome: z.enum(verdictOutcomes),
      verdictIndex: index,
      commitments: z.array(z.tuple([operatorIdSchema, sha256Schema.nullable()])),
    }),
  ),
  awaitedRecords: z.array(sha256Schema),
});
export type ReplaySnapshot = z.infer<typeof replaySnapshotSchema>;

export function snapshotOf({ policies, enrolled, targets, rounds, awaitedRecords }: ReplayState): ReplaySnapshot {
  const snapshot: ReplaySnapshot = {
    policies: [...policies.values()],
    operators: [...enrolled.values()].map((operator) => ({ ...operator, rotations: [...operator.rotations] })),
    targets: [...targets].map(([digest, target]) => [digest, target.index, target.newestVerdict ?? null]),
    open: [],
    settled: [],
    awaitedRecords: [...awaitedRecords],
  };
  for (const [round, replayed] of rounds) {
    if (replayed.kind === "open") {
      const { commitments, results } = replayed;
      snapshot.open.push({ round: replayed.round, commitments, results });
    } else {
      const { kind: _settled, ownOutcome: _own, commitments, ...settled } = replayed;
      snapshot.settled.push({ round, ...settled, commitments: [...commitments] });
    }
  }
  return snapshot;
}

/** The inverse of `snapshotOf`, with the tree of the size at which it was taken; targets of open rounds are read again. */
export async function restoreState(snapshot: ReplaySnapshot, tree: RecentTree, rereading: Rereading): Promise<ReplayState> {
  const enrolled = new Map(snapshot.operators.map((operator) => [operator.enrolment.operator, operator]));
  const targets = snapshot.targets.map(([digest, at, newestVerdict]): [typeof digest, ReplayedTarget] => [
    digest,
    { index: at, ...(newestVerdict !== null && { newestVerdict }) },
  ]);
  const state: ReplayState = {
    tree,
    policies: new Map(snapshot.policies.map((policy) => [policyDigestOf(policy), policy])),
    enrolled,
    identityKeys: new Map([...enrolled].map(([operator, of]) => [operator, keyOf(keysAt(of))])),
    keyOwners: new Map([...enrolled].flatMap(([operator, of]) => keysOf(of).map((key) => [operatorIdOf(key), operator]))),
    targets: new Map(targets),
    rounds: new Map(),
    awaitedRecords: new Set(snapshot.awaitedRecords),
  };
  for (const { round, commitments, ...settled } of snapshot.settled) {
    state.rounds.set(round, { kind: "settled", ...settled, commitments: new Map(commitments) });
  }
  for (const { round, commitments, results } of snapshot.open) {
    const reason = "the state names it";
    const target = await targetOf(state, { digest: round.target, index: tree.size, reason }, rereading);
    const environment = environmentPinDigestOf(target.environment);
    state.rounds.set(roundIdOf(round.target, round.attempt), { kind: "open", round, target, environment, commitments, results });
  }
  return state;
}

function keyOf({ identityKey }: Pick<OperatorKeys, "identityKey">): Uint8Array {
  return parseBase64("operator's identity key", identityKey);
}

/** All that it has or had. */
function keysOf({ enrolment, rotations }: Enrolled): Uint8Array[] {
  return [enrolment, ...rotations.map(({ rotation }) => rotation)].map(keyOf);
}
