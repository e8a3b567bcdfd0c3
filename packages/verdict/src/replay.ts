import { pae } from "@quorate/attestation/dsse";
import { type HashedRekord, isHashedRekord } from "@quorate/attestation/hashed-rekord";
import { type Entry, type PlainStatement, parseEntry, policyDigestOf } from "@quorate/attestation/log-statement";
import type { VerifySignature, VerifySignatureAhead } from "@quorate/attestation/p256";
import type { Commitment } from "@quorate/protocol/commitment";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import { targetDigestOf } from "@quorate/protocol/target";
import { unreachable } from "@quorate/protocol/unreachable";
import type { VerdictOutcome } from "@quorate/protocol/verdict";
import type { Hash } from "@quorate/tlog/hash";
import type { Hasher } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type EntryKeys, soleSigner, verifyEntrySigners } from "./entry-signers.ts";
import { PrefixTree } from "./prefix-tree.ts";
import { ReplayError } from "./replay-error.ts";
import { replayLargeEnvelope } from "./replay-large-envelope.ts";
import { replayOperator } from "./replay-operator.ts";
import { awaitRecord, replayRecord } from "./replay-record.ts";
import { replayResult } from "./replay-result.ts";
import { replayRound } from "./replay-round.ts";
import { type ReplayState, demand, known } from "./replay-state.ts";
import { checkUnique } from "./replay-unique.ts";
import { type LoadBlob, replayVerdict } from "./replay-verdict.ts";
import type { LoadEntry } from "./replayed-target.ts";

export type NextEntry = { readonly index: number; readonly bytes: Uint8Array };

/** An entry whose turn has not come: what can be checked without those before it is being checked. */
export type BegunEntry = NextEntry & { readonly parsed: ParsedEntry; readonly ahead?: SignatureAhead | undefined };

type ParsedEntry =
  | { readonly kind: "parsed"; readonly entry: Entry }
  | { readonly kind: "record" }
  | { readonly kind: "refused"; readonly refusal: ReplayError };

type SignatureAhead = { readonly key: Uint8Array; readonly signature: Uint8Array; readonly isValid: Promise<boolean> };

export type Replay = {
  /** Begins to check an entry that will be added later. Whatever is wrong with it is said in its turn. */
  begin(next: NextEntry): BegunEntry;
  /**
   * Checks the next entry against all before it. Entries come one at a time: wait for each before the next.
   *
   * @returns what the entry says
   * @throws ReplayError at the first entry that breaks a rule; nothing after it can be trusted, so the replay is over
   */
  add(next: NextEntry | BegunEntry): Promise<PlainStatement | { readonly kind: "hashedrekord"; readonly record: HashedRekord }>;
  /** The root of the first `size` entries: to be compared with a checkpoint's. */
  rootAt(size: number): Hash;
  /** Verdicts by index. */
  report(): { readonly entries: number; readonly verdicts: readonly ReplayedVerdict[] };
};

export type ReplayedVerdict = {
  readonly index: number;
  readonly outcome: VerdictOutcome;
  readonly target: Sha256;
  readonly round: Sha256;
  /** Operators that had committed to a result which is not in the log: they never revealed it, or it was kept out. */
  readonly unrevealed: readonly OperatorId[];
};

export type ReplayOptions = {
  readonly networkKey: Uint8Array;
  readonly loadBlob: LoadBlob;
  readonly loadEntry: LoadEntry;
  readonly verify: VerifySignature;
  /** Where there are other threads: verifies signatures of entries whose turn has not come. */
  readonly verifyAhead?: VerifySignatureAhead;
  readonly hasher?: Hasher;
};

/**
 * Recomputes everything that a log says: signatures, committees, and every verdict from the evidence logged before it. The log's entries,
 * the network key and the build traces are all that it takes; nothing that the network asserts is believed.
 */
export function createReplay({ hasher = portableHasher, ...options }: ReplayOptions): Replay {
  const { networkKey, verify, verifyAhead } = options;
  const state: ReplayState = {
    tree: new PrefixTree(hasher),
    policies: new Map(),
    enrolled: new Map(),
    identityKeys: new Map(),
    keyOwners: new Map(),
    targets: new Map(),
    rounds: new Map(),
    awaitedRecords: new Set(),
  };
  const keys = { networkKey, keyOf: (operator: Commitment["operator"]) => state.identityKeys.get(operator) };
  const begin = ({ index, bytes }: NextEntry): BegunEntry => {
    const parsed = parseLogged(index, bytes, hasher);
    return { index, bytes, parsed, ahead: parsed.kind === "parsed" ? verifySignatureAhead(parsed.entry, keys, verifyAhead) : undefined };
  };
  return {
    begin,
    async add(next) {
      const { index, bytes, parsed, ahead } = "parsed" in next ? next : begin(next);
      demand(index === state.tree.size, { index, rule: "index", reason: `the entry after ${state.tree.size - 1} was expected` });
      if (parsed.kind === "record") {
        const record = replayRecord(state, { index, bytes }, hasher);
        state.tree.append(bytes);
        return { kind: "hashedrekord", record };
      }
      if (parsed.kind === "refused") throw parsed.refusal;
      const { statement } = parsed.entry;
      const isVerified = ahead !== undefined && (await ahead.isValid);
      // The key may have been changed since: then this signature is of no use, and is verified in its turn like any other.
      const verifyNow: VerifySignature = (key, message, signature) =>
        (isVerified && key === ahead.key && signature === ahead.signature) || verify(key, message, signature);
      checkSigners(index, () => verifyEntrySigners(parsed.entry, keys, verifyNow));
      const isLarge = statement.kind === "large-envelope";
      const entry = isLarge ? await replayLargeEnvelope(index, statement.large, options.loadBlob) : { ...parsed.entry, statement };
      if (isLarge) checkSigners(index, () => verifyEntrySigners(entry, keys, verify));
      checkUnique(state, index, entry.statement);
      await take(state, { index, entry }, { ...options, hasher });
      state.tree.append(bytes);
      return entry.statement;
    },
    rootAt: (size) => state.tree.rootAt(size),
    report: () => ({ entries: state.tree.size, verdicts: verdictsIn(state) }),
  };
}

type Tools = Pick<ReplayOptions, "networkKey" | "loadBlob" | "loadEntry"> & { readonly hasher: Hasher };

type Taken = { readonly index: number; readonly entry: Entry<PlainStatement> };

async function take(state: ReplayState, { index, entry }: Taken, tools: Tools): Promise<void> {
  const { statement } = entry;
  switch (statement.kind) {
    case "policy":
      return void state.policies.set(policyDigestOf(statement.policy), statement.policy);
    case "operator":
      return replayOperator(state, { index, predicate: statement.predicate }, tools.networkKey);
    case "target":
      return void state.targets.set(targetDigestOf(statement.target), { index, target: statement.target });
    case "round":
      return replayRound(state, { index, round: statement.round }, tools);
    case "commitment":
      return replayCommitment(state, index, statement.commitment);
    case "result":
      awaitRecord(state, entry, tools.hasher);
      return replayResult(state, { index, envelope: entry.digest, result: statement.result }, tools);
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
      const { verdictIndex: index, outcome, target } = replayed;
      const unrevealed = [...replayed.commitments].flatMap(([operator, envelope]) => (envelope === undefined ? [] : [operator]));
      return [{ index, outcome, target, round, unrevealed }];
    })
    .sort((a, b) => a.index - b.index);
}

function parseLogged(index: number, bytes: Uint8Array, hasher: Hasher): ParsedEntry {
  if (isHashedRekord(bytes)) return { kind: "record" };
  try {
    return { kind: "parsed", entry: parseEntry(bytes, hasher) };
  } catch (cause) {
    if (cause instanceof ParseError)
      return { kind: "refused", refusal: new ReplayError({ index, rule: "format", reason: cause.message, cause }) };
    throw cause;
  }
}

/** Begins to verify the one signature of an entry by the key that, as far as is known yet, must have made it. */
function verifySignatureAhead(entry: Entry, keys: EntryKeys, verify: VerifySignatureAhead | undefined): SignatureAhead | undefined {
  const key = soleSigner(entry.statement, keys);
  const [signature, ...others] = entry.envelope.signatures;
  if (verify === undefined || key === undefined || signature === undefined || others.length > 0) return undefined;
  const isValid = verify(key, pae(entry.envelope.payload), signature);
  return isValid && { key, signature, isValid };
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
