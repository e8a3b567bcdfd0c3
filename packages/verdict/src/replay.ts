import { type Entry, type LogStatement, type OperatorPredicate, parseEntry, policyDigestOf } from "@quorate/attestation/log-statement";
import type { VerifySignature } from "@quorate/attestation/p256";
import type { Commitment } from "@quorate/protocol/commitment";
import { entryKey } from "@quorate/protocol/entry";
import { operatorIdOf } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import { roundIdOf } from "@quorate/protocol/round";
import { targetDigestOf } from "@quorate/protocol/target";
import { unreachable } from "@quorate/protocol/unreachable";
import { parseBase64 } from "@quorate/tlog/base64";
import type { Hash } from "@quorate/tlog/hash";
import type { Hasher } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { VerificationError } from "@quorate/tlog/verification-error";
import { verifyEntrySigners } from "./entry-signers.ts";
import type { LoggedEntry } from "./logged-entry.ts";
import { PrefixTree } from "./prefix-tree.ts";
import { ReplayError } from "./replay-error.ts";
import { replayOperator } from "./replay-operator.ts";
import { replayResult } from "./replay-result.ts";
import { replayRound } from "./replay-round.ts";
import { type ReplayState, type ReplayedVerdict, demand, known } from "./replay-state.ts";
import { type LoadBlob, replayVerdict } from "./replay-verdict.ts";

export type Replay = {
  /**
   * Checks the next entry against all before it. Entries come one at a time: wait for each before the next.
   *
   * @throws ReplayError at the first entry that breaks a rule; nothing after it can be trusted, so the replay is over
   */
  add(next: { index: number; bytes: Uint8Array }): Promise<void>;
  /** The root of the first `size` entries: to be compared with a checkpoint's. */
  rootAt(size: number): Hash;
  report(): { readonly entries: number; readonly verdicts: readonly ReplayedVerdict[] };
};

/**
 * Recomputes everything that a log says: signatures, committees, and every verdict from the evidence logged before it. The log's entries,
 * the network key and the build traces are all that it takes; nothing that the network asserts is believed.
 */
export function createReplay(options: { networkKey: Uint8Array; loadBlob: LoadBlob; verify: VerifySignature; hasher?: Hasher }): Replay {
  const { networkKey, loadBlob, verify, hasher = portableHasher } = options;
  const state: ReplayState = {
    tree: new PrefixTree(hasher),
    logicalKeys: new Set(),
    policies: new Map(),
    enrolled: new Map(),
    identityKeys: new Map(),
    keyOwners: new Map(),
    targets: new Map(),
    rounds: new Map(),
    verdicts: [],
  };
  const keys = { networkKey, keyOf: (operator: Commitment["operator"]) => state.identityKeys.get(operator) };
  return {
    async add({ index, bytes }) {
      demand(index === state.tree.size, { index, rule: "index", reason: `the entry after ${state.tree.size - 1} was expected` });
      const entry = parseLogged(index, bytes);
      checkSigners(index, () => verifyEntrySigners(entry, keys, verify));
      checkUnique(state, index, entry.statement);
      await take(state, { index, entry }, { networkKey, loadBlob, hasher });
      state.tree.append(bytes);
    },
    rootAt: (size) => state.tree.rootAt(size),
    report: () => ({ entries: state.tree.size, verdicts: state.verdicts }),
  };
}

type Tools = { readonly networkKey: Uint8Array; readonly loadBlob: LoadBlob; readonly hasher: Hasher };

async function take(state: ReplayState, logged: LoggedEntry, tools: Tools): Promise<void> {
  const { index, entry } = logged;
  const { statement } = entry;
  switch (statement.kind) {
    case "policy":
      return void state.policies.set(policyDigestOf(statement.policy), statement.policy);
    case "operator":
      return replayOperator(state, { index, predicate: statement.predicate }, tools.networkKey);
    case "target":
      return void state.targets.set(targetDigestOf(statement.target), { index, target: statement.target });
    case "round":
      return replayRound(state, index, statement.round);
    case "commitment":
      return replayCommitment(state, index, statement.commitment);
    case "result":
      return replayResult(state, { index, envelope: entry.digest, result: statement.result });
    case "verdict":
      return replayVerdict(state, { index, verdict: statement.verdict }, tools);
    default:
      return unreachable(statement);
  }
}

function replayCommitment(state: ReplayState, index: number, statement: Commitment): void {
  const reason = `the commitment is to round ${statement.round}, which was not logged before it`;
  known(state.rounds.get(statement.round), { index, rule: "round", reason }).commitments.push({ index, statement });
}

/** The log appends an entry once: a second one with the logical key of another would be a second vote, target or verdict. */
function checkUnique(state: ReplayState, index: number, statement: LogStatement): void {
  const key = logicalKey(statement);
  demand(!state.logicalKeys.has(key), { index, rule: "unique", reason: `there is an earlier entry for ${key}` });
  state.logicalKeys.add(key);
}

/** The logical key of what an entry says: a log holds one entry of each. */
export function logicalKey(statement: LogStatement): string {
  switch (statement.kind) {
    case "policy":
      return entryKey.policy(policyDigestOf(statement.policy));
    case "operator":
      return operatorKey(statement.predicate);
    case "target":
      return entryKey.target(targetDigestOf(statement.target));
    case "round":
      return entryKey.round(roundIdOf(statement.round.target, statement.round.attempt), statement.round.standInsCalled);
    case "commitment":
      return entryKey.commitment(statement.commitment.round, statement.commitment.operator);
    case "result":
      return entryKey.result(statement.result.round, statement.result.operator);
    case "verdict":
      return entryKey.verdict(statement.verdict.round);
    default:
      return unreachable(statement);
  }
}

function operatorKey(predicate: OperatorPredicate): string {
  switch (predicate.action) {
    case "enrol":
      return entryKey.enrolment(predicate.operator);
    case "rotate":
      return entryKey.rotation(predicate.operator, operatorIdOf(parseBase64("operator's identity key", predicate.identityKey)));
    case "revoke":
      return entryKey.revocation(predicate.operator);
    default:
      return unreachable(predicate);
  }
}

function parseLogged(index: number, bytes: Uint8Array): Entry {
  try {
    return parseEntry(bytes);
  } catch (cause) {
    if (cause instanceof ParseError) throw new ReplayError({ index, rule: "format", reason: cause.message, cause });
    throw cause;
  }
}

function checkSigners(index: number, verify: () => void): void {
  try {
    verify();
  } catch (cause) {
    if (cause instanceof VerificationError || cause instanceof ParseError) {
      throw new ReplayError({ index, rule: "signature", reason: cause.message, cause });
    }
    throw cause;
  }
}
