import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { type Commitment, commitmentSchema } from "@quorate/protocol/commitment";
import { type DigestOf, type Sha256, parseSha256, sha256Of } from "@quorate/protocol/digest";
import { maxEntryBytes, maxEnvelopeBytes, predicateTypes } from "@quorate/protocol/entry";
import { type LargeEnvelope, largeEnvelopeSchema } from "@quorate/protocol/large-envelope";
import { operatorPredicateSchema } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import { type Policy, policySchema } from "@quorate/protocol/policy";
import type { Result } from "@quorate/protocol/result";
import { type Round, roundSchema } from "@quorate/protocol/round";
import { type Target, targetDigestOf, targetSchema } from "@quorate/protocol/target";
import { unreachable } from "@quorate/protocol/unreachable";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import type { Verdict } from "@quorate/protocol/verdict";
import { parseBase64 } from "@quorate/tlog/base64";
import { boundedText } from "@quorate/tlog/bounded-text";
import type { Hasher } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { VerificationError } from "@quorate/tlog/verification-error";
import { parseVkey } from "@quorate/tlog/note";
import type { z } from "zod";
import { type Envelope, parseEnvelope } from "./dsse.ts";
import { parseJson } from "./json-text.ts";
import { parseNoun } from "./parse-noun.ts";
import { readPlainStatement } from "./plain-statement.ts";
import { formatProvenance, parseProvenance } from "./provenance.ts";
import { type Statement, formatPredicate, namedDigest, statementSchema } from "./statement.ts";
import { formatTestResult, parseTestResult } from "./test-result.ts";
import { formatVerificationSummary, parseVerificationSummary } from "./verification-summary.ts";

export type OperatorPredicate = z.infer<typeof operatorPredicateSchema>;

/** What an entry of the log says. */
export type LogStatement =
  | { readonly kind: "policy"; readonly policy: Policy }
  | { readonly kind: "operator"; readonly predicate: OperatorPredicate }
  | { readonly kind: "target"; readonly target: Target }
  | { readonly kind: "round"; readonly round: Round }
  | { readonly kind: "commitment"; readonly commitment: Commitment }
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  | { readonly kind: "large-envelope"; readonly large: LargeEnvelope };

/** What is said once a large envelope is opened. */
export type PlainStatement = Exclude<LogStatement, { kind: "large-envelope" }>;

/** An envelope as parsed: no signature in it is verified. `digest` is the SHA-256 of its bytes. */
export type Entry<Statement extends LogStatement = LogStatement> = {
  readonly envelope: Envelope;
  readonly digest: Sha256;
  readonly statement: Statement;
};

/** A policy's identity: SHA-256 of its canonical JSON. */
export function policyDigestOf(policy: Policy, digestOf: DigestOf = sha256Of): Sha256 {
  return digestOf(utf8(formatCanonicalJson(policy)));
}

/** The payload of the envelope that says `statement`: canonical JSON of an in-toto statement (docs/predicates/). */
export function formatStatement(statement: LogStatement): Uint8Array {
  return utf8(formatCanonicalJson(statementOf(statement)));
}

/**
 * The inverse of `formatStatement`. A payload has one spelling, and what it says twice it says alike: whatever `formatStatement` would not
 * have written is refused.
 *
 * @throws ParseError
 */
export function parseStatement(payload: Uint8Array, hasher: Pick<Hasher, "digest"> = portableHasher): LogStatement {
  const text = boundedText("in-toto statement", payload, maxEnvelopeBytes);
  return readPlainStatement(text, hasher) ?? parseWithSchema(text, hasher);
}

/** The digest of the one subject with this name, from a payload that `parseStatement` has read: it has compared the two. */
export function subjectDigestIn(payload: Uint8Array, name: string): Sha256 {
  const end = `"},"name":"${name}"}]}`.length;
  return parseSha256(textOf(payload.subarray(-sha256Length - end, -end)));
}

const sha256Length = 64;

function parseWithSchema(text: string, hasher: Pick<Hasher, "digest">): LogStatement {
  const statement = logStatementOf(parseNoun(statementSchema, "in-toto statement", parseJson("in-toto statement", text)));
  if (formatCanonicalJson(statementOf(statement, hasher.digest)) !== text) {
    throw new ParseError(`${statement.kind} statement in canonical JSON whose parts agree`, text);
  }
  return statement;
}

/**
 * An entry of the log: the canonical JSON of a DSSE envelope around a statement, at most 65,535 bytes.
 *
 * @throws ParseError
 */
export function parseEntry(bytes: Uint8Array, hasher: Hasher = portableHasher): Entry {
  if (bytes.length > maxEntryBytes) throw new ParseError(`log entry of at most ${maxEntryBytes} bytes`, `${bytes.length} bytes`);
  return parseSignedStatement(bytes, hasher);
}

/** As `parseEntry`, of any size that an envelope may have. @throws ParseError */
export function parseSignedStatement(bytes: Uint8Array, hasher: Hasher = portableHasher): Entry {
  const envelope = parseEnvelope(bytes);
  return { envelope, digest: hasher.digest(bytes), statement: parseStatement(envelope.payload, hasher) };
}

/**
 * What the envelope that an entry names says, from its bytes.
 *
 * @throws VerificationError when these are not the bytes that are named
 * @throws ParseError for what is no envelope, or one that names another
 */
export function openLargeEnvelope({ envelope, sizeBytes }: LargeEnvelope, bytes: Uint8Array): Entry<PlainStatement> {
  if (bytes.length !== sizeBytes || sha256Of(bytes) !== envelope) {
    throw new VerificationError(`opening the large envelope ${envelope}: the bytes have another digest or size`);
  }
  const opened = parseSignedStatement(bytes);
  const { statement } = opened;
  if (statement.kind === "large-envelope") throw new ParseError("large envelope that names no other", statement.large.envelope);
  return { ...opened, statement };
}

function statementOf(statement: LogStatement, digestOf: DigestOf = sha256Of): Statement {
  switch (statement.kind) {
    case "policy":
      return formatPredicate(predicateTypes.policy, namedDigest("policy", policyDigestOf(statement.policy, digestOf)), statement.policy);
    case "operator":
      return formatPredicate(predicateTypes.operator, operatorSubject(statement.predicate), statement.predicate);
    case "target":
      return formatPredicate(predicateTypes.target, namedDigest("target", targetDigestOf(statement.target, digestOf)), statement.target);
    case "round":
      return formatPredicate(predicateTypes.round, namedDigest("target", statement.round.target), statement.round);
    case "commitment":
      return formatPredicate(predicateTypes.commitment, namedDigest("result", statement.commitment.envelope), statement.commitment);
    case "result":
      return statement.result.outcome === "built" ? formatProvenance(statement.result) : formatTestResult(statement.result);
    case "verdict":
      return formatVerificationSummary(statement.verdict);
    case "large-envelope":
      return formatPredicate(predicateTypes.largeEnvelope, namedDigest("envelope", statement.large.envelope), statement.large);
    default:
      return unreachable(statement);
  }
}

/** Whoever enrols or changes keys shows the key; a revocation knows only the operator's id, which is half of the key's digest. */
function operatorSubject(predicate: OperatorPredicate): Statement["subject"][number] {
  const name = `operator:${predicate.operator}`;
  if (predicate.action === "revoke") return { name, digest: { quorate_operator: predicate.operator } };
  return namedDigest(name, sha256Of(parseBase64("operator's identity key", predicate.identityKey)));
}

function logStatementOf(statement: Statement): LogStatement {
  switch (statement.predicateType) {
    case predicateTypes.policy:
      return { kind: "policy", policy: parsePredicate(policySchema, statement) };
    case predicateTypes.operator:
      return { kind: "operator", predicate: parseOperatorPredicate(statement) };
    case predicateTypes.target:
      return { kind: "target", target: parsePredicate(targetSchema, statement) };
    case predicateTypes.round:
      return { kind: "round", round: parsePredicate(roundSchema, statement) };
    case predicateTypes.commitment:
      return { kind: "commitment", commitment: parsePredicate(commitmentSchema, statement) };
    case predicateTypes.built:
      return { kind: "result", result: parseProvenance(statement) };
    case predicateTypes.failed:
      return { kind: "result", result: parseTestResult(statement) };
    case predicateTypes.verdict:
      return { kind: "verdict", verdict: parseVerificationSummary(statement) };
    case predicateTypes.largeEnvelope:
      return { kind: "large-envelope", large: parsePredicate(largeEnvelopeSchema, statement) };
    default:
      throw new ParseError("statement of a known predicate type", statement.predicateType);
  }
}

function parseOperatorPredicate(statement: Statement): OperatorPredicate {
  const predicate = parsePredicate(operatorPredicateSchema, statement);
  if (predicate.action === "enrol" && predicate.witnessVkey !== undefined) {
    const { algorithm } = parseVkey(predicate.witnessVkey);
    if (algorithm !== "cosignature") throw new ParseError("verifier key of a witness (Ed25519 cosignature)", predicate.witnessVkey);
  }
  return predicate;
}

function parsePredicate<Noun>(schema: z.ZodType<Noun>, { predicateType, predicate }: Statement): Noun {
  return parseNoun(schema, `predicate ${predicateType}`, predicate);
}
