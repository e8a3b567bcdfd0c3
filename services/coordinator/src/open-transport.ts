import { type Authority, loadAuthority } from "@quorate/bus/authority";
import { connectCoordinatorBus, type CoordinatorBus } from "@quorate/bus/coordinator-bus";
import { revokeUsers } from "@quorate/bus/revoke-users";
import { mintCoordinator } from "@quorate/bus/user-credentials";
import type { CoordinatorConfig } from "./config.ts";
import type { Database } from "./database.ts";
import type { CoordinatorEvents } from "./events.ts";
import { createRevocations } from "./revocations.ts";
import { saveJobsUnpublished } from "./store/jobs.ts";
import { loadOperators } from "./store/operators.ts";
import { loadRevokedCredentials } from "./store/workers.ts";
import { startSweep } from "./sweep.ts";

/** Whoever has credentials ended waits for no more attempts to connect than begin in this time: the sweep makes others. */
const revocationMilliseconds = 1_000;

type Surroundings = { db: Database; events: CoordinatorEvents; everyMilliseconds: number; now: () => Date };

/** NATS as the coordinator uses it: its own end, what mints credentials, and what has those refused that have ended. */
export type Transport = AsyncDisposable & {
  readonly bus: CoordinatorBus;
  readonly authority: Authority;
  /** Resolves to whether NATS refuses all credentials that have ended; if it is away, it does when it is back. */
  credentialsRevoked(): Promise<boolean>;
};

export async function openTransport(config: CoordinatorConfig, surroundings: Surroundings): Promise<Transport> {
  const { db, events, everyMilliseconds, now } = surroundings;
  await using resources = new AsyncDisposableStack();
  const authority = await loadAuthority(config.NATS_AUTHORITY_FILE);
  const tell = async () => {
    const server = { url: config.NATS_URL, authority, signal: AbortSignal.timeout(revocationMilliseconds) };
    await revokeUsers(server, await loadRevokedCredentials(db, now()));
  };
  const { push: credentialsRevoked, pushOwed } = createRevocations({ tell, onError: events.credentialsStay });
  const bus = resources.use(await openBus(config.NATS_URL, { authority, db, credentialsRevoked, events }));
  resources.use(startSweep({ everyMilliseconds, onError: events.credentialsStay, look: pushOwed }));
  const owned = resources.move();
  return { bus, authority, credentialsRevoked, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type BusSurroundings = Pick<Surroundings, "db" | "events"> & Pick<Transport, "authority" | "credentialsRevoked">;

/** Connects to NATS and makes it have what the database says it should, now and whenever it has lost its store. */
async function openBus(url: string, { authority, db, credentialsRevoked, events }: BusSurroundings): Promise<CoordinatorBus> {
  const restore = async (bus: CoordinatorBus, lost: readonly string[]): Promise<void> => {
    await credentialsRevoked();
    for (const operator of (await loadOperators(db)).keys()) await bus.ensureConsumer(operator);
    if (!lost.includes("JOBS")) return;
    const jobs = await saveJobsUnpublished(db);
    if (jobs > 0) events.jobsPublishedAgain(jobs);
  };
  const bus: CoordinatorBus = await connectCoordinatorBus({
    url,
    credentials: await mintCoordinator(authority),
    events: {
      disconnected: () => events.transport("disconnected"),
      reconnected: () => events.transport("connected again"),
      connectFailed: (error) => events.transport("cannot connect", error),
      serverError: (error) => events.transport(error),
      storeLost: (streams) => void restore(bus, streams).catch((error: unknown) => events.transport("restoring failed", error)),
      reportsInterrupted: (error) => events.transport("reading reports was interrupted", error),
      malformedReport: (subject, error) => events.transport(`malformed report on ${subject}`, error),
      reportFailed: events.reportFailed,
      malformedLive: () => undefined,
    },
  });
  await restore(bus, await bus.ensureStreams());
  return bus;
}
