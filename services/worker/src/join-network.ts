import { connectWorkerBus, type WorkerBus, type WorkerBusEvents } from "@quorate/bus/worker-bus";
import { once } from "node:events";
import type { WorkerEvents } from "./events.ts";
import { keepRegistered, register, type RegisterOptions } from "./register.ts";

export type Membership = {
  readonly bus: WorkerBus;
  readonly natsUrls: readonly string[];
  /** Registers again in time, and whenever the transport refuses the credentials, until the signal is aborted. */
  keep(signal: AbortSignal): Promise<void>;
};

/** Registers the worker and connects it to the edge transport. @throws what `register` throws */
export async function joinNetwork(registration: RegisterOptions, userSeed: string): Promise<Membership> {
  const { events, signal } = registration;
  const credentials = await register(registration);
  const renewed = { jwt: credentials.natsJwt };
  const refusals = new EventTarget();
  const credentialsRefused = (): void => void refusals.dispatchEvent(new Event("refused"));
  const { operator, natsUrls } = credentials;
  const busEvents = { ...busEventsOf(events), credentialsRefused };
  const bus = await connectWorkerBus({ urls: natsUrls, jwt: () => renewed.jwt, userSeed, operator, events: busEvents, signal });
  return {
    bus,
    natsUrls,
    keep: (signal) =>
      keepRegistered({ ...registration, signal }, credentials, {
        renewed: (jwt) => (renewed.jwt = jwt),
        untilRefused: async (signal) => void (await once(refusals, "refused", { signal })),
      }),
  };
}

function busEventsOf(events: WorkerEvents): WorkerBusEvents {
  return {
    disconnected: () => events.transport("connection lost"),
    reconnected: () => events.transport("connection restored"),
    connectFailed: (error) => events.transport("connecting failed; it is tried again", error),
    serverError: (error) => events.transport(error),
    malformedJob: (error) => events.malformedMessage("job", error),
    malformedControl: (error) => events.malformedMessage("control", error),
    retrying: events.retrying,
  };
}
