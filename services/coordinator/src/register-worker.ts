import { verifyEnvelope } from "@quorate/attestation/dsse";
import type { VerifySignature } from "@quorate/attestation/p256";
import { parseWorkerStatement } from "@quorate/attestation/worker-statement";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import type { WorkerCredentials, WorkerDismissed, WorkerStatement } from "@quorate/protocol/worker";
import { ProblemError } from "@quorate/service/problem";
import { parseBase64 } from "@quorate/tlog/base64";
import { VerificationError } from "@quorate/tlog/verification-error";
import { keysAt } from "@quorate/verdict/enrolled";
import type { Queries } from "./database.ts";
import type { CoordinatorEvents } from "./events.ts";
import { notEnrolled, revoked } from "./operator-statement.ts";
import { findOperator } from "./store/operators.ts";
import { countWorkers, findWorker, saveDismissed, saveWorker } from "./store/workers.ts";

export type WorkerRegistry = {
  /** Credentials for a worker that its operator registers. */
  take(envelope: string): Promise<WorkerCredentials | WorkerDismissed>;
};

type Dependencies = {
  db: Queries;
  /** Digest of the network key. */
  network: Sha256;
  verify: VerifySignature;
  natsUrls: string[];
  ensureConsumer: (operator: OperatorId) => Promise<void>;
  mintUser: (user: { operator: OperatorId; userKey: string; expiresAt: Date }) => Promise<string>;
  /** Resolves to whether the transport refuses the credentials that have ended. */
  credentialsRevoked: () => Promise<boolean>;
  events: CoordinatorEvents;
  now: () => Date;
};

/** Short enough that a lost machine's credentials end soon, long enough to outlast a coordinator's bad day. */
const credentialsHours = 24;
const maxClockDifferenceSeconds = 600;
const maxWorkersOfOperator = 1000;

export function createWorkerRegistry(dependencies: Dependencies): WorkerRegistry {
  return {
    async take(text) {
      const statement = await verifyStatement(dependencies, text);
      if (statement.action === "register") return register(dependencies, statement);
      return dismiss(dependencies, statement);
    },
  };
}

async function dismiss(
  { db, credentialsRevoked, events, now }: Dependencies,
  { operator, worker }: Extract<WorkerStatement, { action: "dismiss" }>,
): Promise<WorkerDismissed> {
  const known = await findWorker(db, worker);
  if (known?.operator !== operator) throw new ProblemError(404, "not-found", `operator ${operator} has no such worker`);
  await saveDismissed(db, worker, now());
  events.workerDismissed(operator, worker);
  return { worker, state: "dismissed", connectionsEnd: (await credentialsRevoked()) ? "now" : "later" };
}

async function register(
  dependencies: Dependencies,
  statement: Extract<WorkerStatement, { action: "register" }>,
): Promise<WorkerCredentials> {
  const { db, natsUrls, ensureConsumer, mintUser, events, now } = dependencies;
  const { operator, worker, name, capabilities } = statement;
  const known = await findWorker(db, worker);
  if (known && known.operator !== operator)
    throw new ProblemError(403, "not-yours", "this worker's key is another operator's; make a new one");
  if (known?.dismissedAt)
    throw new ProblemError(403, "dismissed", "this worker was dismissed by its operator; start it with a new data directory");
  if (!known && (await countWorkers(db, operator)) >= maxWorkersOfOperator) {
    throw new ProblemError(403, "too-many-workers", `an operator may have ${maxWorkersOfOperator} workers; dismiss those that are gone`);
  }
  refuseSameSecond(known?.revokedBefore ?? undefined, now());
  await ensureConsumer(operator).catch(refuseWithoutTransport);
  const expiresAt = new Date(now().getTime() + credentialsHours * 3_600_000);
  const natsJwt = await mintUser({ operator, userKey: worker, expiresAt });
  await saveWorker(db, { worker, operator, name, capabilities, expiresAt }, now());
  events.workerRegistered(operator, worker, !known);
  return { operator, natsUrls, natsJwt, natsJwtExpiresAt: expiresAt.toISOString() };
}

function refuseWithoutTransport(cause: unknown): never {
  const detail = "the network's NATS server, which hands out jobs, is away; workers ask again by themselves until it is back";
  throw new ProblemError(503, "transport-away", detail, { headers: { "retry-after": "10" }, cause });
}

/** A JWT knows its time of issue to the second, and one of the second of the revocation is revoked. */
function refuseSameSecond(revokedBefore: Date | undefined, now: Date): void {
  if (!revokedBefore || Math.floor(revokedBefore.getTime() / 1000) < Math.floor(now.getTime() / 1000)) return;
  throw new ProblemError(503, "just-revoked", "this worker's credentials were ended this second; try again", {
    headers: { "retry-after": "1" },
  });
}

async function verifyStatement({ db, network, verify, now }: Dependencies, text: string): Promise<WorkerStatement> {
  try {
    const { envelope, statement } = parseWorkerStatement(utf8(text));
    const operator = await findOperator(db, statement.operator);
    if (!operator) throw notEnrolled(statement.operator);
    if (operator.revokedAt !== undefined) throw revoked(statement.operator, operator.revokedAt);
    verifyEnvelope(envelope, [parseBase64("identity key", keysAt(operator).identityKey)], verify);
    if (statement.network !== network) throw new ParseError(`statement to the network whose key has digest ${network}`, statement.network);
    refuseOtherTime(statement.saidAt, now());
    return statement;
  } catch (error) {
    if (error instanceof VerificationError) {
      const detail =
        "the worker's statement is not signed with the operator's newest identity key; after a change of keys start the worker again, with the operator's directory as it is now";
      throw new ProblemError(403, "not-signed-by-operator", detail, { cause: error });
    }
    if (error instanceof ParseError) {
      throw new ProblemError(422, "malformed-worker-statement", `the worker's statement cannot be taken: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

function refuseOtherTime(saidAt: string, now: Date): void {
  const seconds = Math.round((Date.parse(saidAt) - now.getTime()) / 1000);
  if (Math.abs(seconds) <= maxClockDifferenceSeconds) return;
  const detail = `the worker's clock is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} this network's; set it right (timedatectl set-ntp true)`;
  throw new ProblemError(422, "clock-differs", detail);
}
