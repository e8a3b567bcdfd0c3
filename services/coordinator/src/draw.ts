import { entryKey } from "@quorate/protocol/entry";
import type { Enrolment } from "@quorate/protocol/operator";
import type { TreeHead } from "@quorate/protocol/round";
import { hashFromSha256 } from "@quorate/tlog/hash";
import { drawCommittee, eligibleFor } from "@quorate/verdict/committee";
import type { Database } from "./database.ts";
import type { NetworkLog } from "./network-log.ts";
import { missingOperators } from "./plan.ts";
import type { PolicyTurns } from "./policy-turns.ts";
import { saveEntry } from "./store/entries.ts";
import { saveJobs } from "./store/jobs.ts";
import { loadNetworkMode } from "./store/network-mode.ts";
import { loadStatements } from "./store/operator-statements.ts";
import { loadOperators } from "./store/operators.ts";
import { loadPolicy, loadPolicyInForce } from "./store/policies.ts";
import { saveCommitteeDrawn, saveReason, type StoredRound } from "./store/rounds.ts";
import { findTarget, saveTargetLogged, type StoredTarget } from "./store/targets.ts";

type Dependencies = { db: Database; log: NetworkLog; policyTurns: PolicyTurns; now: () => Date };

/**
 * Logs a planned round's target, draws its committee from the checkpoint that shows it, and logs the round. While too few operators are
 * enrolled nothing is logged: who enrols after the target's entry could never be drawn.
 *
 * @returns `false` while it waits for operators, for what is being logged of one, or for a network that is paused
 */
export async function drawRound({ db, log, policyTurns, now }: Dependencies, round: StoredRound): Promise<boolean> {
  const { mode } = await loadNetworkMode(db);
  if (mode !== "running") return waitBecause(db, round, "whoever runs the network has paused it: no committee is drawn until it goes on");
  const [target, { policy }, present] = await Promise.all([findTarget(db, round.target), loadPolicyInForce(db), loadOperators(db)]);
  if (!target) throw new Error(`drawing round ${round.round}: its target ${round.target} is not in the database`);
  const able = eligibleFor(target.target, { enrolled: present, seedSize: Infinity }).length;
  const missing = missingOperators({ able, threshold: policy.threshold, architecture: target.target.architecture });
  if (missing !== undefined) return waitBecause(db, round, missing);

  const { seed } = target.logged ?? (await logTarget({ db, log }, target));
  const enrolled = await loadKnownOperators(db);
  if (!enrolled) return false;
  const eligible = eligibleFor(target.target, { enrolled, seedSize: seed.size });
  const { entry, statement } = await policyTurns.draw(() => logRound({ db, log }, round, { seed, eligible }));
  const { commitDeadlineSeconds } = await loadPolicy(db, statement.round.policy);
  const drawnAt = now();
  await db.transaction(async (tx) => {
    await saveEntry(tx, entry);
    await saveCommitteeDrawn(tx, round.round, {
      statement: statement.round,
      committeeDrawnAt: drawnAt,
      commitBy: new Date(drawnAt.getTime() + commitDeadlineSeconds * 1000),
    });
    const members = statement.round.committee.map((operator, rank) => ({ operator, rank }));
    await saveJobs(tx, round.round, members, drawnAt);
  });
  return true;
}

async function waitBecause(db: Database, { round, reason }: StoredRound, why: string): Promise<false> {
  if (why !== reason) await saveReason(db, round, why);
  return false;
}

/** Who is enrolled; `undefined` while the seed's tree may know more of operators than is known here. */
async function loadKnownOperators(db: Database): Promise<Awaited<ReturnType<typeof loadOperators>> | undefined> {
  return db.transaction(
    async (tx) => {
      const unknown = await loadStatements(tx, "logging");
      return unknown.length > 0 ? undefined : loadOperators(tx);
    },
    { isolationLevel: "repeatable read" },
  );
}

/** Under the policy that is in force where it is logged. What an earlier process logged of this round stands. */
async function logRound(
  { db, log }: Pick<Dependencies, "db" | "log">,
  { round, target, attempt }: StoredRound,
  { seed, eligible }: { seed: TreeHead; eligible: readonly Enrolment[] },
) {
  const { digest, policy } = await loadPolicyInForce(db);
  const drawn = drawCommittee({ seedRoot: hashFromSha256(seed.rootSha256), target, attempt, eligible, policy });
  return log.appendSigned(
    { kind: "round", round: { target, attempt, policy: digest, seed, ...drawn, standInsCalled: 0 } },
    { key: entryKey.round(round, 0), wait: "sequenced", round, target },
  );
}

async function logTarget({ db, log }: Pick<Dependencies, "db" | "log">, { digest, target }: StoredTarget): Promise<{ seed: TreeHead }> {
  const { entry, published: seed } = await log.appendSigned(
    { kind: "target", target },
    { key: entryKey.target(digest), wait: "published", target: digest },
  );
  if (!seed) throw new Error(`logging target ${digest}: the log answered without a checkpoint; is it of this version?`);
  await db.transaction(async (tx) => {
    await saveEntry(tx, entry);
    await saveTargetLogged(tx, digest, { index: entry.index, seed });
  });
  return { seed };
}
