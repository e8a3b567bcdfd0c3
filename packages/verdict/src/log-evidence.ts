import { type Entry, type LogStatement, type PlainStatement, openLargeEnvelope, parseEntry } from "@quorate/attestation/log-statement";
import type { VerifySignature } from "@quorate/attestation/p256";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import { roundIdOf } from "@quorate/protocol/round";
import { unreachable } from "@quorate/protocol/unreachable";
import type { Hasher } from "@quorate/tlog/merkle";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type CheckedEntry, checkEntry, identityOf, isCheckedWith } from "./check-entry.ts";
import { type EntryKeys, namedKey, soleSigner, verifyEntrySigners } from "./entry-signers.ts";
import type { LoggedEntry } from "./logged-entry.ts";
import type { NextEntry } from "./replay.ts";
import type { LoadBlob } from "./replay-verdict.ts";

export type LogEvidenceOptions = {
  readonly networkKey: Uint8Array;
  readonly verify: VerifySignature;
  /** Large envelopes. */
  readonly loadBlob: LoadBlob;
  readonly hasher: Hasher;
};

/**
 * What a log's entries say, as far as verdicts rest on it: read in log order, the signatures of each verified once. It keeps policies,
 * operators and targets for good, and the evidence of a round until that is settled.
 */
export class LogEvidence {
  readonly #options: LogEvidenceOptions;
  readonly #identityKeys = new Map<OperatorId, Uint8Array>();
  readonly #keys: EntryKeys;
  readonly #operators: LoggedEntry[] = [];
  readonly #policies = new Map<Sha256, LoggedEntry>();
  readonly #targets = new Map<Sha256, LoggedEntry>();
  readonly #rounds = new Map<Sha256, LoggedEntry[]>();

  constructor(options: LogEvidenceOptions) {
    this.#options = options;
    this.#keys = { networkKey: options.networkKey, keyOf: (operator) => this.#identityKeys.get(operator) };
  }

  /** The keys that operators sign with now: with them other entries can be checked before their turn. */
  get identityKeys(): ReadonlyMap<OperatorId, Uint8Array> {
    return this.#identityKeys;
  }

  /**
   * Takes the next entry.
   *
   * @param checked what was found out about it before its turn
   * @returns for a verdict: its entry and all that it was reached from
   * @throws VerificationError when it is no entry, is not signed by whom it must be, or its large envelope is not to be had
   */
  async add(
    { index, bytes }: NextEntry,
    checked: CheckedEntry = checkEntry(bytes, this.#keys, this.#options),
  ): Promise<readonly LoggedEntry[] | undefined> {
    if (checked.kind === "record") return undefined;
    if (checked.kind === "refused") throw new VerificationError(`reading entry ${index}: ${checked.reason}`);
    const { digest, statement } = checked;
    const isVerified = isCheckedWith(checked, soleSigner(statement, this.#keys));
    if (!isVerified) this.#verifySigners(index, parseEntry(bytes, this.#options.hasher));
    if (statement.kind !== "large-envelope") return this.#keep({ index, entry: { digest, statement } }, statement, checked.identity);
    const entry = await this.#opened(statement);
    this.#verifySigners(index, entry);
    return this.#keep({ index, entry }, entry.statement, identityOf(entry));
  }

  /** Indices of the entries that, added again in this order, are all that later verdicts rest on; verdicts that are not settled among them. */
  carried(): number[] {
    const kept = [...this.#operators, ...this.#policies.values(), ...this.#targets.values(), ...[...this.#rounds.values()].flat()];
    return kept.map(({ index }) => index).sort((a, b) => a - b);
  }

  /** Forgets the evidence of a round: its verdict has been checked. */
  settle(round: Sha256): void {
    this.#rounds.delete(round);
  }

  #verifySigners(index: number, entry: Entry): void {
    try {
      verifyEntrySigners(entry, this.#keys, this.#options.verify);
    } catch (cause) {
      if (cause instanceof VerificationError) throw new VerificationError(`reading entry ${index}: ${cause.message}`, { cause });
      throw cause;
    }
  }

  async #opened({ large }: Extract<LogStatement, { kind: "large-envelope" }>): Promise<Entry<PlainStatement>> {
    const bytes = await this.#options.loadBlob(large.envelope);
    if (bytes !== undefined) return openLargeEnvelope(large, bytes);
    throw new VerificationError(`opening the large envelope ${large.envelope}: it is not to be had`);
  }

  #keep(logged: LoggedEntry, statement: PlainStatement, identity: Sha256 | undefined): readonly LoggedEntry[] | undefined {
    switch (statement.kind) {
      case "policy":
        return void (identity && this.#policies.set(identity, logged));
      case "target":
        return void (identity && this.#targets.set(identity, logged));
      case "operator": {
        const { predicate } = statement;
        if (predicate.action !== "revoke") {
          this.#identityKeys.set(predicate.operator, namedKey(predicate, this.#options.networkKey));
        }
        return void this.#operators.push(logged);
      }
      case "round":
        return void this.#addTo(roundIdOf(statement.round.target, statement.round.attempt, this.#options.hasher.digest), logged);
      case "commitment":
        return void this.#addTo(statement.commitment.round, logged);
      case "result":
        return void this.#addTo(statement.result.round, logged);
      case "verdict": {
        const { round, target, policy } = statement.verdict;
        this.#addTo(round, logged);
        const shared = [this.#targets.get(target), this.#policies.get(policy)].filter((entry) => entry !== undefined);
        return [...this.#operators, ...shared, ...(this.#rounds.get(round) ?? [])];
      }
      default:
        return unreachable(statement);
    }
  }

  #addTo(round: Sha256, logged: LoggedEntry): void {
    this.#rounds.set(round, [...(this.#rounds.get(round) ?? []), logged]);
  }
}
