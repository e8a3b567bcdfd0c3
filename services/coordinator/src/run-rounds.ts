import type { VerifySignature } from "@quorate/attestation/p256";
import type { Sha256 } from "@quorate/protocol/digest";
import { jobIdOf } from "@quorate/protocol/job";
import { type AdvanceDependencies, advanceRound } from "./advance.ts";
import type { RoundChanges } from "./changes.ts";
import type { CoordinatorConfig } from "./config.ts";
import { logUnfinishedStatements } from "./log-operator-statement.ts";
import type { OpenLog } from "./open-log.ts";
import type { Transport } from "./open-transport.ts";
import { openStepQueue, type StepQueue } from "./queues.ts";
import { createReportHandler } from "./reports.ts";
import { createRoundLanes } from "./round-lanes.ts";
import { loadDueRounds } from "./store/rounds.ts";
import { startSweep } from "./sweep.ts";

type Surroundings = Omit<AdvanceDependencies, "log" | "bus" | "changed"> & {
  network: OpenLog;
  transport: Transport;
  changes: RoundChanges;
  verify: VerifySignature;
  everyMilliseconds: number;
};

/** All rounds under way. */
export type Rounds = AsyncDisposable &
  Pick<StepQueue, "queue" | "wake"> & {
    /** Looks at once for rounds that are due. */
    lookNow(): void;
  };

/** Takes every round as far as it goes: woken by what workers say, and by sweeps for what a deadline, a crash or a failure left. */
export async function runRounds(config: CoordinatorConfig, surroundings: Surroundings): Promise<Rounds> {
  const { network, transport, changes, verify, everyMilliseconds, ...stepping } = surroundings;
  const { db, blobs, board, events, now, silenceSeconds } = stepping;
  const { log } = network;
  const { bus, credentialsRevoked } = transport;
  await using resources = new AsyncDisposableStack();
  const lanes = createRoundLanes();
  const advance = (round: string) => lanes.run(round, () => advanceRound({ ...stepping, log, bus, changed: changes.changed }, round));
  const queue = resources.use(openStepQueue({ redisUrl: config.REDIS_URL, advance, events }));
  const wakeDue = async () => {
    const loadDue = (after?: Sha256) => loadDueRounds(db, { now: now(), silenceSeconds }, after);
    for (let due = await loadDue(); due.length > 0; due = await loadDue(due.at(-1))) queue.wakeAgain(due);
  };
  const sweep = resources.use(startSweep({ everyMilliseconds, onError: events.sweepFailed, look: wakeDue }));
  const finishStatements = async () => {
    if ((await logUnfinishedStatements({ db, log, blobs, credentialsRevoked, events, now })) > 0) sweep.now();
  };
  // By itself: it waits for the log, and rounds must not wait for it.
  resources.use(startSweep({ everyMilliseconds, onError: events.statementsUnfinished, look: finishStatements }));
  const progressed = (round: Sha256) => {
    changes.changed(round);
    queue.wake(round);
  };
  bus.reports(createReportHandler({ db, log, blobs, verify, now, events, progressed }));
  bus.live((message) => {
    // The subject proves the operator; the round that it speaks of must be the job's.
    if (message.job !== jobIdOf(message.round, message.operator)) return;
    board.note(message, now());
    changes.live(message);
  });
  const owned = resources.move();
  return { queue: queue.queue, wake: queue.wake, lookNow: sweep.now, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
