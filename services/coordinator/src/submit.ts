import { createReadStream } from "node:fs";
import { ArchiveError } from "@quorate/archive/archive-error";
import { formatRefusal, type Refusal } from "@quorate/archive/refusal";
import type { TargetResolver } from "@quorate/archive/resolve-target";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { failureReasons } from "@quorate/protocol/result";
import { roundIdOf } from "@quorate/protocol/round";
import type { SubmissionRequest } from "@quorate/protocol/submission";
import { targetDigestOf } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { ProblemError } from "@quorate/service/problem";
import type { BlobStore } from "./blob-store.ts";
import type { Database, Queries } from "./database.ts";
import type { CoordinatorEvents } from "./events.ts";
import { loadNetworkMode } from "./store/network-mode.ts";
import { loadPolicyInForce } from "./store/policies.ts";
import { loadNewestRounds, type PlannedRound, saveRound, type StoredRound } from "./store/rounds.ts";
import { savePublished } from "./store/published-artifacts.ts";
import { dayMilliseconds, findSubmission, loadDayOf, saveSubmission } from "./store/submissions.ts";
import { saveTarget } from "./store/targets.ts";
import { loadVerdicts, type StoredVerdict } from "./store/verdicts.ts";

export type Submitted = {
  id: Sha256;
  created: boolean;
  targets: readonly Sha256[];
  /** How many of the project's targets of a day it took. */
  counted: number;
};

/** Whose submission it is, and with which token; `dryRun` when nothing is to be stored, with what was tried before it and the targets that this would have taken. */
export type SubmittedBy = { project: string; token: string; dryRun?: { countedBefore: number; tried: ReadonlySet<Sha256> } | undefined };

/** In a dry run what comes back is what would have been done. @throws ProblemError */
export type Submit = (request: SubmissionRequest, by: SubmittedBy) => Promise<Submitted>;

type Dependencies = {
  db: Database;
  resolver: TargetResolver;
  blobs: BlobStore;
  /** Targets that one project may submit in 24 hours. */
  targetsADay: number;
  wake: (round: Sha256) => void;
  events: CoordinatorEvents;
  now: () => Date;
};

/** Takes requests: what they mean by the archive's signed indices now, and a round for each target that needs one. */
export function createSubmit({ db, resolver, blobs, targetsADay, wake, events, now }: Dependencies): Submit {
  return async (request, { project, token, dryRun }) => {
    if ((await loadNetworkMode(db)).mode === "draining") throw draining();
    const resolution = await resolver.resolveTargets(request).catch(refuseArchive);
    if (resolution.kind === "refused") throw refused(resolution.refusal);
    const { targets } = resolution;
    const digests = targets.map((target) => targetDigestOf(target));
    const id = submissionIdOf(project, request, digests);
    const submittedAt = now();
    if (dryRun?.tried.has(id)) return { id, created: false, targets: digests, counted: 0 };
    const counted = (await findSubmission(db, id)) === undefined ? digests.length : 0;
    const more = counted + (dryRun?.countedBefore ?? 0);
    // Before anything is stored.
    if (counted > 0) refuseOverQuota(await loadDayOf(db, project, submittedAt), { more, targetsADay, now: submittedAt });
    if (dryRun) {
      const { planned } = await planNewRounds(db, digests, submittedAt);
      return { id, created: planned.length > 0 || counted > 0, targets: digests, counted };
    }
    for (const { sha256, sizeBytes, file } of resolution.files) {
      if (!(await blobs.has(sha256))) await blobs.write({ sha256, maxBytes: sizeBytes }, createReadStream(file));
    }
    const { created, planned } = await db.transaction(async (tx) => {
      for (const target of targets) await saveTarget(tx, target);
      await savePublished(tx, targets, submittedAt);
      const { planned } = await planNewRounds(tx, digests, submittedAt);
      for (const round of planned) await saveRound(tx, round);
      const created = await saveSubmission(tx, { id, request, targets: digests }, { project, token, now: submittedAt });
      if (created) refuseOverQuota(await loadDayOf(tx, project, submittedAt), { more: 0, targetsADay, now: submittedAt });
      return { planned, created };
    });
    events.submitted(id, targets.length, created);
    for (const { round } of planned) wake(round);
    return { id, created: created || planned.length > 0, targets: digests, counted: created ? digests.length : 0 };
  };
}

/** Those that are saved at the same moment may go over it together, once. @param quota `more`: targets that are not counted in the day yet */
function refuseOverQuota(
  day: { targets: number; firstAt: Date | undefined },
  { more, targetsADay, now }: { more: number; targetsADay: number; now: Date },
): void {
  if (day.targets + more <= targetsADay) return;
  const freeAt = (day.firstAt ?? now).getTime() + dayMilliseconds;
  const seconds = Math.max(1, Math.ceil((freeAt - now.getTime()) / 1000));
  const detail = `this project may submit ${targetsADay} targets in 24 hours, and this would be more; try again in ${seconds} s, or ask whoever runs this network`;
  throw new ProblemError(429, "quota-exceeded", detail, { headers: { "retry-after": String(seconds) } });
}

/** The same request of a project for the same targets is the same submission. */
function submissionIdOf(project: string, request: SubmissionRequest, targets: readonly Sha256[]): Sha256 {
  return sha256Of(utf8(formatCanonicalJson(["quorate/submission/v2", project, request, [...targets].sort()])));
}

/** The rounds that targets need now, and what that follows from. */
export async function planNewRounds(db: Queries, targets: readonly Sha256[], submittedAt: Date) {
  const newest = await loadNewestRounds(db, targets);
  const verdicts = await loadVerdicts(
    db,
    [...newest.values()].map(({ round }) => round),
  );
  const { digest: policy } = await loadPolicyInForce(db);
  return { planned: planRounds(targets, { newest, verdicts, policy, submittedAt }), newest, verdicts };
}

/** A first round for each target that has none, and another attempt where the last one came to nothing that stands. */
export function planRounds(
  targets: readonly Sha256[],
  known: {
    newest: ReadonlyMap<Sha256, StoredRound>;
    verdicts: ReadonlyMap<Sha256, StoredVerdict>;
    policy: Sha256;
    submittedAt: Date;
  },
): PlannedRound[] {
  return targets.flatMap((target) => {
    const last = known.newest.get(target);
    if (last && !mayTryAgain(known.verdicts.get(last.round))) return [];
    const attempt = (last?.attempt ?? 0) + 1;
    return { round: roundIdOf(target, attempt), target, attempt, policy: known.policy, submittedAt: known.submittedAt };
  });
}

const lastingReasons: readonly string[] = failureReasons.slice(-2);

/** An unsettled round goes on; a verdict stands, unless it says only that something got in the way. */
function mayTryAgain(settled: StoredVerdict | undefined): boolean {
  if (!settled) return false;
  const { outcome, reason } = settled.verdict;
  if (outcome === "failed") return !lastingReasons.some((lasting) => reason?.includes(lasting));
  return outcome === "inconclusive";
}

function draining(): ProblemError {
  const detail = "this network takes no submissions for now, because whoever runs it is about to stop it; try again later";
  return new ProblemError(503, "draining", detail, { headers: { "retry-after": "300" } });
}

function refused(refusal: Refusal): ProblemError {
  return new ProblemError(422, refusal.kind, formatRefusal(refusal));
}

/** An archive that cannot be reached may be tried again; one that does not verify must not be trusted. */
function refuseArchive(error: unknown): never {
  if (!(error instanceof ArchiveError)) throw error;
  const { code, message: detail } = error;
  if (code === "unreachable" || code === "not-found") {
    throw new ProblemError(503, "archive-unavailable", `${detail}; try again later, or check the archive's address in the configuration`, {
      cause: error,
      headers: { "retry-after": "30" },
    });
  }
  if (code === "expired") {
    const next = "choose a suite that is maintained, or set allowExpired for this archive";
    throw new ProblemError(422, "archive-expired", `${detail}; ${next}`, { cause: error });
  }
  throw new ProblemError(502, "archive-untrusted", `${detail}; nothing is built from it: check the archive's address and keyrings`, {
    cause: error,
  });
}
