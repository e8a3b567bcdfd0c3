import { type OperatorPredicate, parseEntry } from "@quorate/attestation/log-statement";
import { unreachable } from "@quorate/protocol/unreachable";
import { logicalKey } from "@quorate/verdict/replay-unique";
import type { BlobStore } from "./blob-store.ts";
import type { Database, Queries } from "./database.ts";
import type { CoordinatorEvents } from "./events.ts";
import type { NetworkLog } from "./network-log.ts";
import { logAllReceivedOf } from "./received.ts";
import { type AuditEntry, saveAuditEntry } from "./store/audit-entries.ts";
import { saveEntry } from "./store/entries.ts";
import { deleteStatement, loadStatements, type OperatorStatement, saveLogging } from "./store/operator-statements.ts";
import { lockOperator, saveOperator, saveRevoked, saveRotation } from "./store/operators.ts";
import { saveCredentialsRevoked } from "./store/workers.ts";

type Dependencies = {
  db: Database;
  log: NetworkLog;
  blobs: Pick<BlobStore, "load">;
  /** Credentials that the transport knows of have ended; resolves to whether it refuses them now. */
  credentialsRevoked: () => Promise<boolean>;
  events: Pick<CoordinatorEvents, "enrolled" | "operatorChanged">;
  now: () => Date;
};

type LoggedPredicate = { index: number; predicate: OperatorPredicate };

/** What is to be logged, and for the audit log who had it done. */
export type DecidedStatement = { predicate: OperatorPredicate; envelope: Uint8Array; audit?: AuditEntry | undefined };

/**
 * Logs an operator's statement, signed by all who must sign it, and keeps what follows from it. Before it may be in the log it is written
 * down that it may: whatever a replay would judge differently because of it (a committee, what the operator signed) waits until it is known.
 * Repeating it changes nothing.
 *
 * @returns whether the transport refuses the credentials that end with it
 */
export async function logOperatorStatement(dependencies: Dependencies, { predicate, envelope, audit }: DecidedStatement): Promise<boolean> {
  const { db, now } = dependencies;
  const { operator } = predicate;
  const key = logicalKey({ kind: "operator", predicate });
  await db.transaction(async (tx) => {
    await lockOperator(tx, operator, "update");
    await saveLogging(tx, { key, operator, envelope }, now());
    if (audit) await saveAuditEntry(tx, audit);
  });
  return finish(dependencies, { key, operator, envelope });
}

/**
 * Finishes what an earlier process began, or this one while the log was away: until then no committee is drawn.
 *
 * @returns how many there were
 */
export async function logUnfinishedStatements(dependencies: Dependencies): Promise<number> {
  const unfinished = await loadStatements(dependencies.db, "logging");
  for (const statement of unfinished) await finish(dependencies, statement);
  return unfinished.length;
}

async function finish(dependencies: Dependencies, statement: Pick<OperatorStatement, "key" | "operator" | "envelope">): Promise<boolean> {
  const { db, log, now } = dependencies;
  const { key, operator, envelope } = statement;
  // Taken before, and signed with the key that the operator had then: it has to be in the log before the key changes.
  await logAllReceivedOf(dependencies, operator);
  const appended = await log.append({ key, kind: "operator", envelope, wait: "published", operator });
  if (appended.statement.kind !== "operator")
    throw new Error(`appending ${key} to the log: the log holds another kind of entry with this key`);
  const logged = { index: appended.entry.index, predicate: appended.statement.predicate };
  const isFirst = await db.transaction(async (tx) => {
    // Whoever deletes it saves what follows, once: the request and a look for unfinished statements may both come here.
    if (!(await deleteStatement(tx, key))) return false;
    await saveEntry(tx, appended.entry);
    await saveLogged(tx, logged, now());
    return true;
  });
  if (isFirst) tell(dependencies, logged);
  return logged.predicate.action === "enrol" || dependencies.credentialsRevoked();
}

function tell({ events }: Dependencies, { index, predicate }: LoggedPredicate): void {
  if (predicate.action === "enrol") events.enrolled(predicate.operator, predicate.name, index);
  else events.operatorChanged(predicate.operator, predicate.action, index);
}

async function saveLogged(db: Queries, { index, predicate }: LoggedPredicate, now: Date): Promise<void> {
  switch (predicate.action) {
    case "enrol":
      return saveOperator(db, { enrolment: predicate, enrolledAt: index }, now);
    case "rotate":
      await saveRotation(db, { index, rotation: predicate });
      // Whoever has the old key had its workers' credentials too.
      return saveCredentialsRevoked(db, predicate.operator, now);
    case "revoke":
      await saveRevoked(db, predicate.operator, index);
      return saveCredentialsRevoked(db, predicate.operator, now);
    default:
      return unreachable(predicate);
  }
}

/** The statement inside an envelope that was verified when it was taken. */
export function operatorPredicateOf(envelope: Uint8Array): OperatorPredicate {
  const { statement } = parseEntry(envelope);
  if (statement.kind !== "operator") throw new Error(`reading an operator's statement: it is a ${statement.kind}`);
  return statement.predicate;
}
