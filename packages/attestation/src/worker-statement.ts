import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { sha256Of } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { type WorkerStatement, workerStatementSchema } from "@quorate/protocol/worker";
import { type Envelope, parseEnvelope } from "./dsse.ts";
import { parseJsonBytes } from "./json-text.ts";
import { parseNoun } from "./parse-noun.ts";
import { formatPredicate, namedDigest, statementSchema } from "./statement.ts";

/** Not among the types of log entries: nobody can have such a statement logged. */
const predicateType = "https://quorate.dev/worker/v1";
const maxPayloadBytes = 10_000;

/** The payload of the envelope that says something of a worker: canonical JSON of an in-toto statement about the worker's key. */
export function formatWorkerStatement(statement: WorkerStatement): Uint8Array {
  const subject = namedDigest("worker", sha256Of(utf8(statement.worker)));
  return utf8(formatCanonicalJson(formatPredicate(predicateType, subject, statement)));
}

/**
 * The envelope and its statement, in their one spelling; no signature is verified.
 *
 * @throws ParseError
 */
export function parseWorkerStatement(bytes: Uint8Array): { envelope: Envelope; statement: WorkerStatement } {
  const envelope = parseEnvelope(bytes);
  const { text, value } = parseJsonBytes("worker statement", envelope.payload, maxPayloadBytes);
  const whole = parseNoun(statementSchema, "in-toto statement", value);
  if (whole.predicateType !== predicateType) throw new ParseError(`statement of type ${predicateType}`, whole.predicateType);
  const statement = parseNoun(workerStatementSchema, "worker statement", whole.predicate);
  if (textOf(formatWorkerStatement(statement)) !== text) {
    throw new ParseError("worker statement in canonical JSON whose parts agree", text);
  }
  return { envelope, statement };
}
