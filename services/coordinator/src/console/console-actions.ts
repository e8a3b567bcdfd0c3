import type { Sha256 } from "@quorate/protocol/digest";
import { ProblemError } from "@quorate/service/problem";
import type { Database, Queries } from "../database.ts";
import { type AuditEntry, saveAuditEntry } from "../store/audit-entries.ts";
import { type NetworkMode, saveNetworkMode } from "../store/network-mode.ts";
import { findRound, saveRound, saveTryNow } from "../store/rounds.ts";
import { planNewRounds } from "../submit.ts";

export const modeActions = ["pause", "drain", "resume"] as const;
export type ModeAction = (typeof modeActions)[number];

const modeAfter: Record<ModeAction, NetworkMode> = { pause: "paused", drain: "draining", resume: "running" };

/** What whoever runs the network may have done in the console; each is in the audit log with who asked for it, or is not done. */
export type ConsoleActions = {
  changeMode(action: ModeAction, actor: string): Promise<void>;
  /**
   * Tries a round's failed step at once; of one that is settled, plans another attempt.
   * @throws ProblemError when there is no such round, or its verdict stands
   */
  retry(round: Sha256, actor: string): Promise<void>;
};

type Dependencies = { db: Database; wake: (round: Sha256) => void; goOn: () => void; now: () => Date };

export function createConsoleActions({ db, wake, goOn, now }: Dependencies): ConsoleActions {
  return {
    async changeMode(action, actor) {
      const at = now();
      await db.transaction(async (tx) => {
        await saveNetworkMode(tx, modeAfter[action], at);
        await saveAuditEntry(tx, { at, actor, action });
      });
      goOn();
    },
    async retry(round, actor) {
      wake(await db.transaction((tx) => saveRetry(tx, { at: now(), actor, action: "retry", subject: round })));
    },
  };
}

/** @returns the round that goes on: the same, or the next attempt */
async function saveRetry(tx: Queries, entry: AuditEntry & { subject: Sha256 }): Promise<Sha256> {
  const { at, subject: round } = entry;
  const stored = await findRound(tx, round);
  if (!stored) throw new ProblemError(404, "not-found", `there is no round ${round}`);
  if (await saveTryNow(tx, round)) {
    await saveAuditEntry(tx, entry);
    return round;
  }
  const [next] = (await planNewRounds(tx, [stored.target], at)).planned;
  if (!next) {
    const detail = `round ${round} is settled, and nothing has to be tried again: its target has a verdict that stands, or another attempt`;
    throw new ProblemError(409, "verdict-stands", detail);
  }
  await saveRound(tx, next);
  await saveAuditEntry(tx, { ...entry, detail: `attempt ${next.attempt}: ${next.round}` });
  return next.round;
}
