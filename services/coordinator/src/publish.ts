import type { CoordinatorBus } from "@quorate/bus/coordinator-bus";
import type { Database } from "./database.ts";
import { saveJobPublished, type StoredJob } from "./store/jobs.ts";
import type { StoredRound } from "./store/rounds.ts";
import { findTarget } from "./store/targets.ts";
import type { UploadTickets } from "./upload-ticket.ts";

type Dependencies = { db: Database; bus: Pick<CoordinatorBus, "publishJob">; tickets: UploadTickets; now: () => Date };

/** Hands jobs to their operators. The bus keeps one of several messages with the same fence, so that this may be repeated. */
export async function publishJobs({ db, bus, tickets, now }: Dependencies, round: StoredRound, jobs: readonly StoredJob[]): Promise<void> {
  const target = await findTarget(db, round.target);
  const { commitBy } = round;
  if (!target || !commitBy) throw new Error(`publishing the jobs of round ${round.round}: it has no ${target ? "committee" : "target"}`);
  await Promise.all(
    jobs.map(async ({ job, operator, baseFence }) => {
      await bus.publishJob(operator, target.target.architecture, {
        job,
        round: round.round,
        target: round.target,
        baseFence,
        uploadTicket: tickets.issue(job),
        commitBy: commitBy.toISOString(),
      });
      await saveJobPublished(db, job, now());
    }),
  );
}
