import { jobIdOf, type JobMessage, type ReportMessage } from "@quorate/protocol/job";
import { sha256Of } from "@quorate/protocol/digest";
import { operatorIdOf } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, jwtAuthenticator, type NatsConnection } from "nats";
import { type Authority, createAuthority } from "./authority.ts";
import { connectCoordinatorBus, type CoordinatorBus, type CoordinatorBusEvents } from "./coordinator-bus.ts";
import { type NatsServer, startNatsServer } from "./nats-server.fixture.ts";
import { createUserKey, mintCoordinator, mintUser } from "./user-credentials.ts";
import { connectWorkerBus, type WorkerBus, type WorkerBusEvents } from "./worker-bus.ts";

export const alice = operatorIdOf(utf8("alice"));
export const bob = operatorIdOf(utf8("bob"));
const round = sha256Of(utf8("round"));

export const jobFor = (operator: typeof alice, name = "one"): JobMessage => {
  const ofName = sha256Of(utf8(name));
  const commitBy = "2026-11-01T00:00:00Z";
  return { job: jobIdOf(ofName, operator), round: ofName, target: round, baseFence: 1, uploadTicket: "ticket", commitBy };
};

export const startedReport = (job: JobMessage, operator: typeof alice, fence: number): ReportMessage => ({
  kind: "started",
  job: job.job,
  round: job.round,
  operator,
  fence,
});

/** A private server with its own authority and store, for one test. */
export type BusNetwork = AsyncDisposable & {
  readonly directory: string;
  readonly authority: Authority;
  server: NatsServer;
  coordinator(events?: CoordinatorBusEvents, jobLeaseSeconds?: number): Promise<CoordinatorBus>;
  /** Of another server with the same authority. */
  coordinatorAt(url: string): Promise<CoordinatorBus>;
  worker(operator: typeof alice, events?: WorkerBusEvents): Promise<WorkerBus>;
  credentials(operator: typeof alice): Promise<{ jwt: string; seed: string }>;
  /** A client with the coordinator's credentials that may do what its bus does not. */
  administrator(): Promise<NatsConnection>;
};

export async function startBusNetwork(): Promise<BusNetwork> {
  const directory = await mkdtemp(join(tmpdir(), "quorate-bus-"));
  const authority = await createAuthority(join(directory, "authority.json"));
  const credentials = async (operator: typeof alice): Promise<{ jwt: string; seed: string }> => {
    const key = createUserKey();
    const expiresAt = new Date(Date.now() + 3600_000);
    return { jwt: await mintUser({ authority, operator, userKey: key.publicKey, expiresAt }), seed: key.seed };
  };
  const network: BusNetwork = {
    directory,
    authority,
    server: await startNatsServer({ authority, directory: join(directory, "nats") }),
    coordinator: async (events = {}, jobLeaseSeconds = 60) =>
      await connectCoordinatorBus({ url: network.server.url, credentials: await mintCoordinator(authority), events, jobLeaseSeconds }),
    coordinatorAt: async (url) => await connectCoordinatorBus({ url, credentials: await mintCoordinator(authority) }),
    worker: async (operator, events = {}) => {
      const { jwt, seed } = await credentials(operator);
      return await connectWorkerBus({ urls: [network.server.url], jwt: () => jwt, userSeed: seed, operator, events });
    },
    credentials,
    administrator: async () => {
      const { jwt, seed } = await mintCoordinator(authority);
      return await connect({ servers: network.server.url, authenticator: jwtAuthenticator(jwt, utf8(seed)) });
    },
    [Symbol.asyncDispose]: async () => {
      await network.server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return network;
}
