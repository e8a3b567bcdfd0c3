import { formatLinkKeyPem } from "@quorate/attestation/in-toto-link";
import { ProblemError } from "@quorate/service/problem";
import { parseBase64 } from "@quorate/tlog/base64";
import { type Enrolled, keysAt } from "@quorate/verdict/enrolled";
import type { Queries } from "../database.ts";
import { loadLastReports } from "../store/builds.ts";
import { loadOperators } from "../store/operators.ts";
import type { Says } from "../store/rebuilds.ts";
import { formatNaiveTime } from "./naive-time.ts";
import type { Worker } from "./v1-records.ts";

/** The rebuilder that a hostname stands for: one operator, or the whole network. */
export type Rebuilder = { readonly says: Says; readonly operators: readonly Enrolled[] };

/**
 * An operator on its own hostname, since clients count a vote for each hostname; on every other one the network. The first operator that
 * enrolled with a hostname keeps it.
 *
 * @throws ProblemError for the hostname of an operator that was revoked: its votes must not turn into the network's
 */
export async function findRebuilder(db: Queries, hostname: string): Promise<Rebuilder> {
  const operators = [...(await loadOperators(db)).values()];
  const operator = operators.find(({ enrolment }) => enrolment.hostname === hostname.toLowerCase());
  if (operator?.revokedAt !== undefined) {
    const detail = `the operator of ${hostname} was revoked by entry ${operator.revokedAt} of the log; remove this rebuilder`;
    throw new ProblemError(410, "revoked", detail);
  }
  if (operator !== undefined) return { says: operator.enrolment.operator, operators: [operator] };
  return { says: "network", operators: operators.filter(({ revokedAt }) => revokedAt === undefined) };
}

export function publicKeysOf({ operators }: Rebuilder): string[] {
  return operators
    .map((operator) => keysAt(operator))
    .flatMap(({ linkKey }) => (linkKey === undefined ? [] : [formatLinkKeyPem(parseBase64("link key", linkKey))]));
}

/** An operator that nothing was heard of for this long is shown as away. */
const awayMilliseconds = 24 * 3600 * 1000;

/** One record for each operator: how many machines it has, and where, is its own affair. */
export async function loadWorkers(db: Queries, { operators }: Rebuilder, now: Date): Promise<Worker[]> {
  const reports = await loadLastReports(db);
  return operators.map(({ enrolment: { operator, name }, enrolledAt }) => {
    const heardAt = reports.get(operator) ?? new Date(0);
    const isOnline = now.getTime() - heardAt.getTime() < awayMilliseconds;
    return {
      id: enrolledAt,
      name,
      address: "",
      status: null,
      last_ping: formatNaiveTime(heardAt),
      is_online: isOnline,
      key: operator,
      addr: "",
      online: isOnline,
    };
  });
}
