import { type ControlMessage, controlMessageSchema, type JobMessage, jobMessageSchema } from "@quorate/protocol/job";
import { type LiveMessage, liveMessageSchema, type ReportMessage, reportMessageSchema } from "@quorate/protocol/job";
import { architectureSchema } from "@quorate/protocol/names";
import { type OperatorId, operatorIdSchema } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import type { z } from "zod";

/** What each subject carries, who may publish on it is `mintUser`'s part. Nothing else is ever sent. */
export const subjects = {
  /** `job.<operator>.<arch>`, stream JOBS */
  job: { wildcard: "job.*.*", schema: jobMessageSchema, maxBytes: 16 * 1024 },
  /** `report.<operator>`, stream REPORTS: one subject an operator, so that the server can bound what each has waiting there */
  report: { wildcard: "report.*", schema: reportMessageSchema, maxBytes: 1024 * 1024 },
  /** `live.<operator>.<job>`, not kept */
  live: { wildcard: "live.*.*", schema: liveMessageSchema, maxBytes: 256 * 1024 },
  /** `control.<operator>`, not kept */
  control: { wildcard: "control.*", schema: controlMessageSchema, maxBytes: 4 * 1024 },
} as const;

export const jobSubject = (operator: OperatorId, architecture: string): string =>
  `job.${operator}.${architectureSchema.parse(architecture)}`;
export const reportSubject = (operator: OperatorId): string => `report.${operator}`;
export const liveSubject = (operator: OperatorId, job: string): string => `live.${operator}.${job}`;
export const controlSubject = (operator: OperatorId): string => `control.${operator}`;
/** Replies to an operator's workers come back below this, so that no operator can read another's. */
export const inboxPrefix = (operator: OperatorId): string => `_INBOX_${operator}`;

/** The bytes of a message. */
export function formatMessage(message: JobMessage | ReportMessage | LiveMessage | ControlMessage): Uint8Array {
  return utf8(JSON.stringify(message));
}

/**
 * A message's bytes, bounded and checked against the schema of its kind of subject.
 *
 * @throws ParseError when it is too large, not JSON, or not what the subject carries
 */
export function parseMessage<Kind extends keyof typeof subjects>(
  kind: Kind,
  bytes: Uint8Array,
): z.infer<(typeof subjects)[Kind]["schema"]> {
  const { schema, maxBytes } = subjects[kind];
  if (bytes.length > maxBytes) throw new ParseError(`${kind} message`, `${bytes.length} bytes, more than ${maxBytes}`);
  const parsed = schema.safeParse(parseJson(kind, bytes));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ParseError(`${kind} message`, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unknown"}`, { cause: parsed.error });
  }
  return parsed.data as z.infer<(typeof subjects)[Kind]["schema"]>;
}

function parseJson(kind: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes));
  } catch (cause) {
    throw new ParseError(`${kind} message`, `${bytes.length} bytes that are not JSON`, { cause });
  }
}

/**
 * A report or live message that says the same operator (a live message: and job) as the subject it came on. The server lets an operator
 * publish on its own subjects only, so the subject is the proof of who sent it; what the message says about its sender is not.
 *
 *     report.0123456789abcdef0123456789abcdef
 *     live.0123456789abcdef0123456789abcdef.<job>
 *
 * @throws ParseError when subject and message differ
 */
export function parseAddressed<Kind extends "report" | "live">(
  kind: Kind,
  subject: string,
  bytes: Uint8Array,
): { operator: OperatorId; job: string; message: z.infer<(typeof subjects)[Kind]["schema"]> } {
  const [prefix, operatorText] = subject.split(".");
  const operator = operatorIdSchema.safeParse(operatorText);
  if (prefix !== kind || !operator.success) throw new ParseError(`${kind} subject`, subject);
  const message = parseMessage(kind, bytes);
  const { job } = message;
  const expected = kind === "report" ? reportSubject(operator.data) : liveSubject(operator.data, job);
  if (message.operator !== operator.data || !job.endsWith(`-${operator.data}`) || subject !== expected)
    throw new ParseError(`${kind} message on ${subject}`, `operator ${message.operator}, job ${job}`);
  return { operator: operator.data, job, message };
}
