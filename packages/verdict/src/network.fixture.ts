import { type TraceFile, formatTrace, traceSummaryOf } from "@quorate/attestation/build-trace";
import { formatEnvelope, pae, parseEnvelope } from "@quorate/attestation/dsse";
import { formatHashedRekord, hashedRekordOf, isHashedRekord } from "@quorate/attestation/hashed-rekord";
import {
  type Entry,
  type LogStatement,
  formatStatement,
  openLargeEnvelope,
  parseEntry,
  policyDigestOf,
} from "@quorate/attestation/log-statement";
import { digestOf, sampleBuilt, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { type PortableSigner, portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { maxEntryBytes } from "@quorate/protocol/entry";
import type { Enrolment, OperatorId, Rotation } from "@quorate/protocol/operator";
import { type Policy, defaultPolicy } from "@quorate/protocol/policy";
import type { BuiltResult, Result } from "@quorate/protocol/result";
import { type Round, roundIdOf } from "@quorate/protocol/round";
import { type Target, targetDigestOf } from "@quorate/protocol/target";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import type { Verdict } from "@quorate/protocol/verdict";
import { formatBase64 } from "@quorate/tlog/base64";
import { cosigned, testLog, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { formatHash, sha256FromHash } from "@quorate/tlog/hash";
import { inclusionProof } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { drawCommittee, eligibleFor } from "./committee.ts";
import { evaluate } from "./evaluate.ts";
import { enrolledOf } from "./enrolled.ts";
import { collectEvidence } from "./evidence.ts";
import { traceOf } from "./evidence.fixture.ts";
import { PrefixTree } from "./prefix-tree.ts";
import { type Proof, proofFormat } from "./proof.ts";
import type { TrustPolicy } from "./trust-policy.ts";

/** For tests: a network's log in the making, with keys that are made from names. */
export class TestNetwork {
  readonly networkKey = portableSignerOf("network");
  readonly entries: Uint8Array[] = [];
  readonly blobs = new Map<Sha256, Uint8Array>();
  readonly largeEnvelopes = new Map<Sha256, Uint8Array>();
  readonly tree = new PrefixTree(portableHasher);
  readonly policy: Policy;

  constructor(policy: Partial<Policy> = {}) {
    this.policy = { ...defaultPolicy, ...policy };
  }

  append(statement: LogStatement, signers: readonly PortableSigner[] = [this.networkKey]): number {
    const payload = formatStatement(statement);
    return this.appendBytes(formatEnvelope({ payload, signatures: signers.map(({ sign }) => sign(pae(payload))) }));
  }

  /** Appends an envelope, by its name if it is too large. */
  appendBytes(bytes: Uint8Array): number {
    if (bytes.length > maxEntryBytes) {
      const large = { envelope: sha256Of(bytes), sizeBytes: bytes.length };
      this.largeEnvelopes.set(large.envelope, bytes);
      return this.append({ kind: "large-envelope", large });
    }
    this.tree.append(bytes);
    return this.entries.push(bytes) - 1;
  }

  logged(): { index: number; entry: Entry }[] {
    return this.entries.flatMap((bytes, index) => (isHashedRekord(bytes) ? [] : [{ index, entry: this.opened(parseEntry(bytes)) }]));
  }

  private opened(entry: Entry): Entry {
    const { statement } = entry;
    const bytes = statement.kind === "large-envelope" ? this.largeEnvelopes.get(statement.large.envelope) : undefined;
    return statement.kind === "large-envelope" && bytes ? openLargeEnvelope(statement.large, bytes) : entry;
  }

  appendPolicy(policy: Policy = this.policy): number {
    return this.append({ kind: "policy", policy });
  }

  enrol(name: string, changes: Partial<Enrolment> = {}): number {
    const signer = portableSignerOf(name);
    const predicate: Enrolment = { ...enrolmentOf(signer), ...changes };
    return this.append({ kind: "operator", predicate }, [signer, this.networkKey]);
  }

  /** An operator changes from the key of one name, by default its own, to that of another. */
  rotate(name: string, to: string, { from = name, ...changes }: Partial<Rotation> & { from?: string } = {}): number {
    const renewed = portableSignerOf(to);
    const predicate: Rotation = {
      action: "rotate",
      operator: operatorNamed(name),
      identityKey: formatBase64(renewed.spki),
      ...changes,
    };
    return this.append({ kind: "operator", predicate }, [portableSignerOf(from), renewed, this.networkKey]);
  }

  revoke(name: string): number {
    return this.append({ kind: "operator", predicate: { action: "revoke", operator: portableSignerOf(name).operator, reason: "retired" } });
  }

  appendTarget(target: Target = sampleTarget): number {
    return this.append({ kind: "target", target });
  }

  /** The round that the rules give, with the newest tree as its seed. */
  roundFor(target: Target = sampleTarget, attempt = 1): Round {
    const size = this.tree.size;
    const seedRoot = this.tree.rootAt(size);
    const eligible = eligibleFor(target, { enrolled: enrolledOf(this.logged()), seedSize: size });
    const drawn = drawCommittee({ seedRoot, target: targetDigestOf(target), attempt, eligible, policy: this.policy });
    const seed = { size, rootSha256: sha256FromHash(seedRoot) };
    return { target: targetDigestOf(target), attempt, policy: policyDigestOf(this.policy), seed, ...drawn, standInsCalled: 0 };
  }

  appendRound(round: Round = this.roundFor()): number {
    return this.append({ kind: "round", round });
  }

  /** An envelope of what `name` says came out, signed with the key of that name or another, and the trace kept as a blob. */
  signResult(name: string, { round, key = name, ...changes }: { round: Round } & ResultChanges): SignedResult {
    const signer = { ...portableSignerOf(key), operator: operatorNamed(name) };
    const result = this.resultOf(signer, round, changes);
    const payload = formatStatement({ kind: "result", result });
    return { signer, result, bytes: formatEnvelope({ payload, signatures: [signer.sign(pae(payload))] }) };
  }

  commit({ signer, result, bytes }: SignedResult): number {
    const commitment = { round: result.round, operator: signer.operator, fence: result.fence, envelope: sha256Of(bytes) };
    return this.append({ kind: "commitment", commitment }, [signer]);
  }

  /** The record of a result's signature. */
  appendRecord({ signer, bytes }: SignedResult): number {
    return this.appendBytes(formatHashedRekord(hashedRekordOf(parseEnvelope(bytes), signer.spki, portableHasher)));
  }

  /** The verdict that the log's evidence gives. */
  verdictOf(round: Round, changes: Partial<Verdict> = {}): Verdict {
    const roundId = roundIdOf(round.target, round.attempt);
    const evidence = collectEvidence({ entries: this.logged(), roundId, traces: this.blobs, closed: true });
    const decision = evaluate(evidence, this.policy);
    if (decision.kind === "undecided") throw new Error("undecided");
    const { kind: _decided, ...decided } = decision;
    return { target: round.target, round: roundId, policy: round.policy, ...decided, decidedAt: "2026-11-23T09:00:00Z", ...changes };
  }

  appendVerdict(verdict: Verdict): number {
    return this.append({ kind: "verdict", verdict });
  }

  /** Policy, operators, target, round, commitments, results and verdict of one ordinary rebuild. */
  rebuild(names: readonly string[] = ["ada", "bert", "cyd"], changes: (name: string) => ResultChanges = () => ({})): Round {
    this.appendPolicy();
    for (const name of names) this.enrol(name);
    this.appendTarget();
    return this.runRound(this.roundFor(), names, changes);
  }

  runRound(round: Round, names: readonly string[], changes: (name: string) => ResultChanges = () => ({})): Round {
    this.appendRound(round);
    const members = names.filter((name) => round.committee.includes(portableSignerOf(name).operator));
    const results = members.map((name) => this.signResult(name, { round, ...changes(name) }));
    for (const result of results) this.commit(result);
    for (const { bytes } of results) this.appendBytes(bytes);
    this.appendVerdict(this.verdictOf(round));
    return round;
  }

  /** A proof of the whole log, or of some of its entries. */
  proof(indices: readonly number[] = [...this.entries.keys()]): Proof {
    const size = this.tree.size;
    const read = (subtree: { level: number; index: number }) => this.tree.subtree(subtree);
    return {
      format: proofFormat,
      checkpoint: cosigned({ size, root: this.tree.rootAt(size) }, testWitnesses),
      entries: indices.map((index) => {
        const envelope = this.entries[index] ?? new Uint8Array(0);
        const { statement } = parseEntry(envelope);
        const large = statement.kind === "large-envelope" ? this.largeEnvelopes.get(statement.large.envelope) : undefined;
        return {
          index,
          envelope: textOf(envelope),
          inclusion: inclusionProof(index, size, read).map(formatHash),
          ...(large && { large: textOf(large) }),
        };
      }),
      traces: [...this.blobs].map(([sha256, bytes]) => ({ sha256, text: textOf(bytes) })),
    };
  }

  trustPolicy(names: readonly string[] = ["ada", "bert", "cyd"], threshold = 2): TrustPolicy {
    const witnesses = testWitnesses.map(({ key }) => ({ name: key.name, key }));
    const members = witnesses.map(({ name }) => name);
    return {
      witnessPolicy: { logs: [{ key: testLog.key }], witnesses, groups: [{ name: "most", threshold: 3, members }], quorum: "most" },
      network: { name: "test", key: this.networkKey.spki },
      operators: names.map((name) => ({ name, key: portableSignerOf(name).spki, id: portableSignerOf(name).operator })),
      threshold,
    };
  }

  private resultOf(signer: PortableSigner, round: Round, { trace = honestTrace, digest, failure, result }: ResultChanges): Result {
    const common = {
      operator: signer.operator,
      target: round.target,
      round: roundIdOf(round.target, round.attempt),
      nonce: nonceOf(signer),
    };
    if (failure !== undefined)
      return { ...sampleFailedCommon, ...common, outcome: "failed", failure: { reason: failure, step: "build", message: "exit code 2" } };
    const bytes = utf8(formatTrace(trace));
    this.blobs.set(sha256Of(bytes), bytes);
    const byproduct = {
      kind: "build-trace" as const,
      name: "build.trace",
      sizeBytes: bytes.length,
      sha256: sha256Of(bytes),
      mediaType: "text/plain",
    };
    const artifacts = sampleTarget.artifacts.map(({ file, sizeBytes, sha256 }) => ({
      name: file,
      sizeBytes,
      sha256: digest === undefined ? sha256 : digestOf(digest),
    }));
    return { ...sampleBuilt, ...common, artifacts, byproducts: [byproduct], trace: traceSummaryOf(trace), ...result };
  }
}

export type SignedResult = { signer: PortableSigner; result: Result; bytes: Uint8Array };

export type ResultChanges = {
  /** Name of the key that signs, where it is not the operator's first. */
  key?: string;
  trace?: readonly TraceFile[];
  digest?: string;
  failure?: "build-failed" | "timeout";
  result?: Partial<BuiltResult>;
};

export const honestTrace = traceOf(Array.from({ length: 12 }, (_, index) => `object ${index}`));

const { outcome: _built, artifacts: _artifacts, sources: _sources, trace: _trace, ...rest } = sampleBuilt;
const sampleFailedCommon = { ...rest, byproducts: [] };

export function enrolmentOf({ name, spki, operator }: PortableSigner): Enrolment {
  const identityKey = formatBase64(spki);
  return { action: "enrol", operator, name, identityKey, groups: {}, architectures: ["amd64", "all"], ecosystems: ["debian"] };
}

export function operatorNamed(name: string): OperatorId {
  return portableSignerOf(name).operator;
}

function nonceOf({ name }: PortableSigner): string {
  return digestOf(`nonce of ${name}`).slice(0, 32);
}
