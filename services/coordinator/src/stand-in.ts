import { entryKey } from "@quorate/protocol/entry";
import type { OperatorId } from "@quorate/protocol/operator";
import type { Database } from "./database.ts";
import type { NetworkLog } from "./network-log.ts";
import { saveEntry } from "./store/entries.ts";
import { saveJobs } from "./store/jobs.ts";
import { saveStandInsCalled, type StoredRound } from "./store/rounds.ts";

type Dependencies = { db: Database; log: NetworkLog; now: () => Date };

/** Logs the round again with one more stand-in called, and gives the stand-in a job. */
export async function callStandIn({ db, log, now }: Dependencies, round: StoredRound, operator: OperatorId): Promise<void> {
  if (!round.statement) throw new Error(`calling a stand-in for round ${round.round}: no committee is drawn`);
  const standInsCalled = round.statement.standInsCalled + 1;
  const { entry, statement } = await log.appendSigned(
    { kind: "round", round: { ...round.statement, standInsCalled } },
    { key: entryKey.round(round.round, standInsCalled), wait: "sequenced", round: round.round, target: round.target },
  );
  const rank = statement.round.committee.length + standInsCalled - 1;
  await db.transaction(async (tx) => {
    await saveEntry(tx, entry);
    await saveStandInsCalled(tx, round.round, statement.round);
    await saveJobs(tx, round.round, [{ operator, rank }], now());
  });
}
