import { verifyEnvelope } from "@quorate/attestation/dsse";
import { type Entry, parseEntry } from "@quorate/attestation/log-statement";
import type { VerifySignature } from "@quorate/attestation/p256";
import type { Enrolment, OperatorId } from "@quorate/protocol/operator";
import { entryKey } from "@quorate/protocol/entry";
import { ParseError } from "@quorate/protocol/parse-error";
import type { EnrolmentAnswer, EnrolmentRequest } from "@quorate/protocol/submission";
import { utf8 } from "@quorate/protocol/utf8";
import { ProblemError } from "@quorate/service/problem";
import { countersign } from "@quorate/signing/envelope";
import type { P256Signer } from "@quorate/signing/p256-key";
import { VerificationError } from "@quorate/tlog/verification-error";
import { namedKey } from "@quorate/verdict/entry-signers";
import type { Database } from "./database.ts";
import type { CoordinatorEvents } from "./events.ts";
import type { NetworkLog } from "./network-log.ts";
import { saveEntry } from "./store/entries.ts";
import { findOperator, saveOperator } from "./store/operators.ts";

export type Enrol = (request: EnrolmentRequest) => Promise<EnrolmentAnswer>;

type Dependencies = {
  db: Database;
  log: NetworkLog;
  networkKey: Pick<P256Signer, "sign" | "spki">;
  verify: VerifySignature;
  natsUrl: string;
  ensureConsumer: (operator: OperatorId) => Promise<void>;
  mintUser: (user: { operator: OperatorId; userKey: string; expiresAt: Date }) => Promise<string>;
  /** Rounds may have waited for one more operator. */
  enrolled: () => void;
  events: CoordinatorEvents;
  now: () => Date;
};

/** A worker renews its credentials by enrolling again: the operator stays as it was first logged. */
const credentialsDays = 30;

export function createEnrol(dependencies: Dependencies): Enrol {
  const { db, natsUrl, ensureConsumer, mintUser, now } = dependencies;
  return async (request) => {
    const { enrolment, bytes } = parseEnrolment(request, dependencies);
    const known = await findOperator(db, enrolment.operator);
    if (known?.revokedAt !== undefined) {
      const detail = `operator ${enrolment.operator} was revoked by entry ${known.revokedAt} of the log; enrol with a new key`;
      throw new ProblemError(403, "revoked", detail);
    }
    if (!known) await logEnrolment(dependencies, enrolment, bytes);
    await ensureConsumer(enrolment.operator);
    const expiresAt = new Date(now().getTime() + credentialsDays * 86_400_000);
    const natsJwt = await mintUser({ operator: enrolment.operator, userKey: request.natsUserKey, expiresAt });
    dependencies.enrolled();
    return { operator: enrolment.operator, natsUrl, natsJwt, natsJwtExpiresAt: expiresAt.toISOString() };
  };
}

async function logEnrolment(dependencies: Dependencies, enrolment: Enrolment, bytes: Uint8Array): Promise<void> {
  const { db, log, networkKey, events, now } = dependencies;
  const { operator } = enrolment;
  const key = entryKey.enrolment(operator);
  const { entry, statement } = await log.append({
    key,
    kind: "operator",
    envelope: countersign(bytes, networkKey),
    wait: "published",
    operator,
  });
  const logged = statement.kind === "operator" && statement.predicate.action === "enrol" ? statement.predicate : enrolment;
  await db.transaction(async (tx) => {
    await saveEntry(tx, entry);
    await saveOperator(tx, { enrolment: logged, enrolledAt: entry.index }, now());
  });
  events.enrolled(operator, logged.name, entry.index);
}

/** The enrolment, signed by the key that it names, whose digest is the operator's id. */
function parseEnrolment({ envelope }: EnrolmentRequest, { verify, networkKey }: Dependencies): { enrolment: Enrolment; bytes: Uint8Array } {
  try {
    const bytes = utf8(envelope);
    const entry = parseEntry(bytes);
    const enrolment = enrolmentOf(entry);
    verifyEnvelope(entry.envelope, [namedKey(enrolment, networkKey.spki)], verify);
    return { enrolment, bytes };
  } catch (error) {
    if (error instanceof ParseError || error instanceof VerificationError) {
      const detail = `the enrolment cannot be taken: ${error.message}; sign it with the key that it names`;
      throw new ProblemError(422, "malformed-enrolment", detail, { cause: error });
    }
    throw error;
  }
}

function enrolmentOf({ statement }: Entry): Enrolment {
  if (statement.kind === "operator" && statement.predicate.action === "enrol") return statement.predicate;
  throw new ParseError("enrolment statement", statement.kind);
}
