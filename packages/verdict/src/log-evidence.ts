import { type Entry, type PlainStatement, openLargeEnvelope, parseEntry, policyDigestOf } from "@quorate/attestation/log-statement";
import { isHashedRekord } from "@quorate/attestation/hashed-rekord";
import type { VerifySignature } from "@quorate/attestation/p256";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import { roundIdOf } from "@quorate/protocol/round";
import { targetDigestOf } from "@quorate/protocol/target";
import { unreachable } from "@quorate/protocol/unreachable";
import type { Hasher } from "@quorate/tlog/merkle";
import { VerificationError } from "@quorate/tlog/verification-error";
import { namedKey, verifyEntrySigners } from "./entry-signers.ts";
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
  readonly #operators: LoggedEntry[] = [];
  readonly #policies = new Map<Sha256, LoggedEntry>();
  readonly #targets = new Map<Sha256, LoggedEntry>();
  readonly #rounds = new Map<Sha256, LoggedEntry[]>();

  constructor(options: LogEvidenceOptions) {
    this.#options = options;
  }

  /**
   * Takes the next entry.
   *
   * @returns for a verdict: its entry and all that it was reached from
   * @throws VerificationError when it is not signed by whom it must be, or its large envelope is not to be had
   * @throws ParseError for what is no entry
   */
  async add({ index, bytes }: NextEntry): Promise<readonly LoggedEntry[] | undefined> {
    if (isHashedRekord(bytes)) return undefined;
    const outer = parseEntry(bytes, this.#options.hasher);
    this.#verifySigners(index, outer);
    const entry = await this.#opened(outer);
    if (entry !== outer) this.#verifySigners(index, entry);
    return this.#keep({ index, entry }, entry.statement);
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
    const keys = { networkKey: this.#options.networkKey, keyOf: (operator: OperatorId) => this.#identityKeys.get(operator) };
    try {
      verifyEntrySigners(entry, keys, this.#options.verify);
    } catch (cause) {
      if (cause instanceof VerificationError) throw new VerificationError(`reading entry ${index}: ${cause.message}`, { cause });
      throw cause;
    }
  }

  async #opened(entry: Entry): Promise<Entry<PlainStatement>> {
    const { statement } = entry;
    if (statement.kind !== "large-envelope") return { ...entry, statement };
    const bytes = await this.#options.loadBlob(statement.large.envelope);
    if (bytes !== undefined) return openLargeEnvelope(statement.large, bytes);
    throw new VerificationError(`opening the large envelope ${statement.large.envelope}: it is not to be had`);
  }

  #keep(logged: LoggedEntry, statement: PlainStatement): readonly LoggedEntry[] | undefined {
    const { digest } = this.#options.hasher;
    switch (statement.kind) {
      case "policy":
        return void this.#policies.set(policyDigestOf(statement.policy, digest), logged);
      case "target":
        return void this.#targets.set(targetDigestOf(statement.target, digest), logged);
      case "operator": {
        const { predicate } = statement;
        if (predicate.action !== "revoke") {
          this.#identityKeys.set(predicate.operator, namedKey(predicate, this.#options.networkKey));
        }
        return void this.#operators.push(logged);
      }
      case "round":
        return void this.#addTo(roundIdOf(statement.round.target, statement.round.attempt, digest), logged);
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
