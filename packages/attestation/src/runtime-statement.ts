import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import type { Sha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { type RuntimePredicate, runtimeSchema } from "@quorate/protocol/runtime";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { type Envelope, parseEnvelope } from "./dsse.ts";
import { parseJsonBytes } from "./json-text.ts";
import { parseNoun } from "./parse-noun.ts";
import { type NamedDigest, formatPredicate, namedDigest, namedDigestSchema, statementSchema } from "./statement.ts";

/** Not among the types of log entries: what a host runs is nobody else's business. */
export const runtimeType = "https://quorate.dev/runtime/v1";
const maxPayloadBytes = 1_000_000;

/** A host by its name, the root hash of what its processes run, and what was found. */
export type RuntimeStatement = { readonly subject: NamedDigest; readonly runtime: RuntimePredicate };

/** The payload of the envelope that says it: canonical JSON of an in-toto statement (docs/predicates/runtime.md). */
export function formatRuntime(host: string, state: Sha256, runtime: RuntimePredicate): Uint8Array {
  return utf8(formatCanonicalJson(formatPredicate(runtimeType, namedDigest(host, state), runtime)));
}

/**
 * The envelope and its statement, in their one spelling; no signature is verified.
 *
 * @throws ParseError
 */
export function parseRuntime(bytes: Uint8Array): { envelope: Envelope; statement: RuntimeStatement } {
  const envelope = parseEnvelope(bytes);
  const { text, value } = parseJsonBytes("runtime statement", envelope.payload, maxPayloadBytes);
  const whole = parseNoun(statementSchema, "in-toto statement", value);
  const [first, ...more] = whole.subject;
  if (whole.predicateType !== runtimeType || more.length > 0) throw new ParseError(`statement of type ${runtimeType} about one host`, text);
  const subject = parseNoun(namedDigestSchema, "subject of a runtime statement", first);
  const runtime = parseNoun(runtimeSchema, "runtime predicate", whole.predicate);
  if (textOf(formatRuntime(subject.name, subject.digest.sha256, runtime)) !== text)
    throw new ParseError("runtime statement in canonical JSON", text);
  return { envelope, statement: { subject, runtime } };
}
