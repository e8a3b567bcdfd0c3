import type { VerifySignature } from "@quorate/attestation/p256";
import type { Enrolment } from "@quorate/protocol/operator";
import type { OperatorDecision, OperatorRequest, OperatorView } from "@quorate/protocol/operator-view";
import { entryKey } from "@quorate/protocol/entry";
import { unreachable } from "@quorate/protocol/unreachable";
import { textOf } from "@quorate/protocol/utf8";
import { tokenMatcher } from "@quorate/service/bearer";
import { ProblemError } from "@quorate/service/problem";
import { countersign, signStatement } from "@quorate/signing/envelope";
import type { P256Signer } from "@quorate/signing/p256-key";
import { type Enrolled, keysAt } from "@quorate/verdict/enrolled";
import type { BlobStore } from "./blob-store.ts";
import type { Database } from "./database.ts";
import type { CoordinatorEvents } from "./events.ts";
import { type DecidedStatement, logOperatorStatement, operatorPredicateOf } from "./log-operator-statement.ts";
import type { NetworkLog } from "./network-log.ts";
import { notEnrolled, type SignedPredicate, verifyOperatorStatement } from "./operator-statement.ts";
import { type AuditEntry, saveAuditEntry } from "./store/audit-entries.ts";
import { countPending, deleteOldStatements, findStatement, loadStatements, savePending, saveRefused } from "./store/operator-statements.ts";
import { findOperator, loadOperators } from "./store/operators.ts";

/** How operators join, change their keys and leave. */
export type OperatorAdmission = {
  /** Takes what an operator signed. */
  take(request: OperatorRequest): Promise<OperatorView>;
  decide(operator: string, decision: OperatorDecision): Promise<OperatorView>;
  find(operator: string): Promise<OperatorView | undefined>;
  list(): Promise<OperatorView[]>;
  /** Those that wait for a decision, or were refused. */
  listUndecided(): Promise<OperatorView[]>;
};

type Dependencies = {
  db: Database;
  log: NetworkLog;
  blobs: Pick<BlobStore, "load">;
  networkKey: Pick<P256Signer, "sign" | "spki">;
  verify: VerifySignature;
  /** Whoever has this code is admitted at once. */
  invitationToken: string | undefined;
  /** Rounds may have waited for one more operator. */
  enrolled: () => void;
  /** Credentials that the transport knows of have ended; resolves to whether it refuses them now. */
  credentialsRevoked: () => Promise<boolean>;
  events: CoordinatorEvents;
  now: () => Date;
};

/** Strangers can write into this list: it has an end. */
const maxPending = 1000;
const pendingDays = 30;

export function createOperatorAdmission(dependencies: Dependencies): OperatorAdmission {
  const { db } = dependencies;
  const find: OperatorAdmission["find"] = async (operator) => {
    const enrolled = await findOperator(db, operator);
    return enrolled ? enrolledView(enrolled) : undecidedView(await findStatement(db, entryKey.enrolment(operator)));
  };
  const mustFind = async (operator: string): Promise<OperatorView> => {
    const found = await find(operator);
    if (!found) throw notEnrolled(operator);
    return found;
  };
  return {
    find,
    list: async () => [...(await loadOperators(db)).values()].map(enrolledView),
    listUndecided: async () => {
      const undecided = [...(await loadStatements(db, "pending")), ...(await loadStatements(db, "refused"))];
      return undecided.flatMap((statement) => undecidedView(statement) ?? []);
    },
    async take(request) {
      const signed = await verifyNow(dependencies, request.envelope);
      const done = signed.isDone ? {} : await takeNew(dependencies, signed, request.invitation);
      return { ...(await mustFind(signed.predicate.operator)), ...done };
    },
    async decide(operator, decision) {
      const done = await apply(dependencies, operator, decision);
      return { ...(await mustFind(operator)), ...done };
    },
  };
}

async function verifyNow({ db, networkKey, verify }: Dependencies, envelope: string): Promise<SignedPredicate> {
  return verifyOperatorStatement(envelope, { enrolled: await loadOperators(db), networkKey: networkKey.spki, verify });
}

/** What the answer says besides what there is now to say of the operator. */
type Done = Pick<OperatorView, "connectionsEnd">;

async function takeNew(dependencies: Dependencies, signed: SignedPredicate, invitation: string | undefined): Promise<Done> {
  const { predicate, envelope } = signed;
  const { networkKey } = dependencies;
  switch (predicate.action) {
    case "enrol":
      if (invitation === undefined) return keepPending(dependencies, predicate.operator, envelope);
      requireInvitation(dependencies, invitation);
      return admit(dependencies, signed);
    case "rotate":
    case "revoke":
      return change(dependencies, { predicate, envelope: predicate.action === "rotate" ? countersign(envelope, networkKey) : envelope });
    default:
      return unreachable(predicate);
  }
}

async function keepPending({ db, events, now }: Dependencies, operator: string, envelope: Uint8Array): Promise<Done> {
  await deleteOldStatements(db, new Date(now().getTime() - pendingDays * 86_400_000));
  if ((await countPending(db)) >= maxPending) {
    const detail = `${maxPending} operators wait to be admitted already; ask whoever runs this network for an invitation code`;
    throw new ProblemError(503, "too-many-pending", detail);
  }
  await savePending(db, { key: entryKey.enrolment(operator), operator, envelope }, now());
  events.operatorPending(operator);
  return {};
}

function requireInvitation({ invitationToken }: Dependencies, invitation: string): void {
  if (invitationToken !== undefined && tokenMatcher(invitationToken)(invitation)) return;
  const detail = "this invitation code is not valid; ask whoever runs this network for one, or enrol without and wait to be admitted";
  throw new ProblemError(403, "unknown-invitation", detail);
}

async function apply(dependencies: Dependencies, operator: string, decision: OperatorDecision): Promise<Done> {
  const { db, networkKey, now } = dependencies;
  const detail = "reason" in decision ? decision.reason : undefined;
  const audit = { at: now(), actor: "admin token", action: decision.decision, subject: operator, detail };
  const enrolled = await findOperator(db, operator);
  if (decision.decision === "revoke") {
    if (!enrolled) throw notEnrolled(operator);
    if (enrolled.revokedAt !== undefined) return {};
    const predicate = { action: "revoke", operator: enrolled.enrolment.operator, reason: decision.reason } as const;
    return change(dependencies, { predicate, envelope: signStatement({ kind: "operator", predicate }, [networkKey]), audit });
  }
  const undecided = await findStatement(db, entryKey.enrolment(operator));
  if (enrolled || !undecided) {
    if (enrolled && decision.decision === "approve" && enrolled.revokedAt === undefined) return {};
    throw new ProblemError(404, "not-pending", `no enrolment of operator ${operator} waits for a decision`);
  }
  if (decision.decision === "refuse") {
    await db.transaction(async (tx) => {
      await saveRefused(tx, undecided.key, decision.reason);
      await saveAuditEntry(tx, audit);
    });
    return {};
  }
  // Others may have been admitted since it was taken.
  return admit(dependencies, await verifyNow(dependencies, textOf(undecided.envelope)), audit);
}

async function admit(dependencies: Dependencies, { predicate, envelope }: SignedPredicate, audit?: AuditEntry): Promise<Done> {
  const { networkKey, enrolled } = dependencies;
  await logOperatorStatement(dependencies, { predicate, envelope: countersign(envelope, networkKey), audit });
  enrolled();
  return {};
}

async function change(dependencies: Dependencies, decided: DecidedStatement): Promise<Done> {
  return { connectionsEnd: (await logOperatorStatement(dependencies, decided)) ? "now" : "later" };
}

function enrolledView(enrolled: Enrolled): OperatorView {
  const { enrolment, enrolledAt, rotations, revokedAt } = enrolled;
  return {
    ...viewOf(enrolment, revokedAt === undefined ? "admitted" : "revoked"),
    ...keysAt(enrolled),
    rotations: rotations.map(({ index, rotation }) => ({ index, identityKey: rotation.identityKey })),
    enrolledIndex: enrolledAt,
    revokedIndex: revokedAt,
  };
}

function undecidedView(statement: { state: string; reason: string | null; envelope: Uint8Array } | undefined): OperatorView | undefined {
  const predicate = statement && operatorPredicateOf(statement.envelope);
  if (predicate?.action !== "enrol") return undefined;
  return { ...viewOf(predicate, statement?.state === "refused" ? "refused" : "pending"), reason: statement?.reason ?? undefined };
}

function viewOf(enrolment: Enrolment, state: OperatorView["state"]): OperatorView {
  const { operator, name, groups, architectures, hostname, identityKey, linkKey } = enrolment;
  return { operator, state, name, groups, architectures, hostname, firstKey: identityKey, identityKey, linkKey };
}
