import { type Entry, type PlainStatement, parseEntry } from "@quorate/attestation/log-statement";
import type { VerifySignature } from "@quorate/attestation/p256";
import type { Commitment } from "@quorate/protocol/commitment";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import type { PolicyRules } from "@quorate/protocol/policy";
import { ParseError } from "@quorate/protocol/parse-error";
import { unreachable } from "@quorate/protocol/unreachable";
import type { VerdictOutcome } from "@quorate/protocol/verdict";
import type { Hash } from "@quorate/tlog/hash";
import type { Hasher } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type CheckedEntry, type CheckedStatement, checkEntry, identityOf, isCheckedWith, recordDigestOf } from "./check-entry.ts";
import { type EntryKeys, soleSigner, verifyEntrySigners } from "./entry-signers.ts";
import { type LoadLeaves, RecentTree } from "./recent-tree.ts";
import { ReplayError } from "./replay-error.ts";
import { replayLargeEnvelope } from "./replay-large-envelope.ts";
import { replayOperator } from "./replay-operator.ts";
import { replayPolicy } from "./replay-policy.ts";
import { replayRecord } from "./replay-record.ts";
import { replayResult } from "./replay-result.ts";
import { replayRound } from "./replay-round.ts";
import { type ReplaySnapshot, restoreState, snapshotOf } from "./replay-snapshot.ts";
import { type ReplayState, demand, emptyState, known } from "./replay-state.ts";
import { checkUnique } from "./replay-unique.ts";
import { type LoadBlob, replayVerdict } from "./replay-verdict.ts";
import type { LoadEntry } from "./replayed-target.ts";

export type NextEntry = { readonly index: number; readonly bytes: Uint8Array };

export type Replay = {
  /**
   * Checks the next entry against all before it. Entries come one at a time: wait for each before the next.
   *
   * @param checked what was found out about it before its turn
   * @returns what the entry says
   * @throws ReplayError at the first entry that breaks a rule; nothing after it can be trusted, so the replay is over
   */
  add(next: NextEntry, checked?: CheckedEntry): Promise<PlainStatement | { readonly kind: "hashedrekord" }>;
  /** The keys that operators sign with now: with them other entries can be checked before their turn. */
  identityKeys(): ReadonlyMap<OperatorId, Uint8Array>;
  /** The root of the first `size` entries: to be compared with a checkpoint's. */
  rootAt(size: number): Promise<Hash>;
  /** How many entries were replayed. */
  size(): number;
  /** What was learnt from them: `resumeReplay` goes on from there. */
  snapshot(): ReplaySnapshot;
  /** Verdicts by index. */
  report(): { readonly entries: number; readonly verdicts: readonly ReplayedVerdict[] };
};

export type ReplayedVerdict = {
  readonly index: number;
  readonly outcome: VerdictOutcome;
  /** What the same evidence gives under `ownRules`. */
  readonly ownOutcome?: VerdictOutcome;
  readonly target: Sha256;
  readonly round: Sha256;
  /** Operators that had committed to a result which is not in the log: they never revealed it, or it was kept out. */
  readonly unrevealed: readonly OperatorId[];
};

export type ReplayOptions = {
  readonly networkKey: Uint8Array;
  readonly loadBlob: LoadBlob;
  readonly loadEntry: LoadEntry;
  readonly loadLeaves: LoadLeaves;
  readonly verify: VerifySignature;
  /** Rules of a policy of one's own: every round is evaluated under them too. */
  readonly ownRules?: PolicyRules;
  readonly hasher?: Hasher;
};

/**
 * Recomputes everything that a log says: signatures, committees, and every verdict from the evidence logged before it. The log's entries,
 * the network key and the build traces are all that it takes; nothing that the network asserts is believed.
 */
export function createReplay(options: ReplayOptions): Replay {
  const { hasher = portableHasher, loadLeaves } = options;
  return replayFrom(emptyState(new RecentTree(hasher, loadLeaves)), options);
}

/** Goes on from what an earlier replay learnt, with the tree of the entries that it had. */
export async function resumeReplay(snapshot: ReplaySnapshot, tree: RecentTree, options: ReplayOptions): Promise<Replay> {
  return replayFrom(await restoreState(snapshot, tree, options), options);
}

function replayFrom(state: ReplayState, { hasher = portableHasher, ...options }: ReplayOptions): Replay {
  const { networkKey, verify } = options;
  const keys = { networkKey, keyOf: (operator: OperatorId) => state.identityKeys.get(operator) };
  const tools = { ...options, hasher, keys };
  return {
    async add({ index, bytes }, checked = checkEntry(bytes, keys, { hasher, verify })) {
      demand(index === state.tree.size, { index, rule: "index", reason: `the entry after ${state.tree.size - 1} was expected` });
      if (checked.kind === "refused") throw new ReplayError({ index, rule: "format", reason: checked.reason });
      if (checked.kind === "record") {
        replayRecord(state, { index, digest: checked.digest });
        state.tree.append(checked.leaf);
        return { kind: "hashedrekord" };
      }
      const said = await verifySaid({ index, bytes }, checked, tools);
      checkUnique(state, { index, ...said }, hasher.digest);
      await take(state, { index, ...said }, tools);
      state.tree.append(checked.leaf);
      return said.statement;
    },
    identityKeys: () => state.identityKeys,
    rootAt: (size) => state.tree.rootAt(size),
    size: () => state.tree.size,
    snapshot: () => snapshotOf(state),
    report: () => ({ entries: state.tree.size, verdicts: verdictsIn(state) }),
  };
}

/** What an entry, or the large envelope that it names, says; its signatures have been verified. */
type Said = {
  readonly digest: Sha256;
  readonly statement: PlainStatement;
  readonly identity: Sha256 | undefined;
  readonly record: Sha256 | undefined;
};

type Tools = ReplayOptions & { readonly hasher: Hasher; readonly keys: EntryKeys };

async function verifySaid({ index, bytes }: NextEntry, checked: CheckedStatement, tools: Tools): Promise<Said> {
  const { digest, statement, identity, signed } = checked;
  const isSigned = isCheckedWith(checked, soleSigner(statement, tools.keys));
  if (isSigned && statement.kind !== "large-envelope") return { digest, statement, identity, record: signed?.record };
  const entry = parseEntry(bytes, tools.hasher);
  if (!isSigned) verifySigners(index, entry, tools);
  if (statement.kind !== "large-envelope") return saidBy({ ...entry, statement }, tools);
  const opened = await replayLargeEnvelope(index, statement.large, tools.loadBlob);
  verifySigners(index, opened, tools);
  return saidBy(opened, tools);
}

function saidBy(entry: Entry<PlainStatement>, { keys, hasher }: Tools): Said {
  const { digest, statement } = entry;
  const key = soleSigner(statement, keys);
  return { digest, statement, identity: identityOf(entry), record: key && recordDigestOf(entry, key, hasher) };
}

async function take(
  state: ReplayState,
  { index, digest, statement, identity, record }: Said & { index: number },
  tools: Tools,
): Promise<void> {
  switch (statement.kind) {
    case "policy":
      if (identity !== undefined) replayPolicy(state, { index, digest: identity, policy: statement.policy });
      return;
    case "operator":
      return replayOperator(state, { index, predicate: statement.predicate }, tools.networkKey);
    case "target":
      return void (identity && state.targets.set(identity, { index, target: statement.target }));
    case "round":
      return replayRound(state, { index, round: statement.round }, tools);
    case "commitment":
      return replayCommitment(state, index, statement.commitment);
    case "result":
      await replayResult(state, { index, envelope: digest, result: statement.result }, tools);
      if (record !== undefined) state.awaitedRecords.add(record);
      return;
    case "verdict":
      return replayVerdict(state, { index, verdict: statement.verdict }, tools);
    default:
      return unreachable(statement);
  }
}

function replayCommitment(state: ReplayState, index: number, statement: Commitment): void {
  const reason = `the commitment is to round ${statement.round}, which was not logged before it`;
  const replayed = known(state.rounds.get(statement.round), { index, rule: "round", reason });
  if (replayed.kind === "open") replayed.commitments.push({ index, statement });
  else replayed.commitments.set(statement.operator, statement.envelope);
}

function verdictsIn({ rounds }: ReplayState): ReplayedVerdict[] {
  return [...rounds]
    .flatMap(([round, replayed]) => {
      if (replayed.kind === "open") return [];
      const { verdictIndex: index, outcome, ownOutcome, target } = replayed;
      const unrevealed = [...replayed.commitments].flatMap(([operator, envelope]) => (envelope === null ? [] : [operator]));
      return [{ index, outcome, ...(ownOutcome && { ownOutcome }), target, round, unrevealed }];
    })
    .sort((a, b) => a.index - b.index);
}

function verifySigners(index: number, entry: Entry, { keys, verify }: Tools): void {
  try {
    verifyEntrySigners(entry, keys, verify);
  } catch (cause) {
    if (cause instanceof VerificationError || cause instanceof ParseError) {
      throw new ReplayError({ index, rule: "signature", reason: cause.message, cause });
    }
    throw cause;
  }
}
