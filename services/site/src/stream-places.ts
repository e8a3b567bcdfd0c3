import { networkOf } from "@quorate/service/network-of";
import { ProblemError } from "@quorate/service/problem";

export type PlaceLimits = {
  /** Streams that are open at a time. */
  readonly readers: number;
  /** Of them, those of one client's network. */
  readonly readersOfNetwork: number;
};

/** Whose places are taken: all, or those of the network that asks. */
export type RefuseReason = "readers" | "network";

/** Gives a place among the readers to an address, and returns what gives it back. @throws ProblemError when there is none left */
export type TakePlace = (address: string) => () => void;

export function createStreamPlaces(limits: PlaceLimits, onRefused: (reason: RefuseReason) => void): TakePlace {
  const taken = new Map<string, number>();
  let all = 0;
  return (address) => {
    const network = networkOf(address);
    const ofNetwork = taken.get(network) ?? 0;
    const reason = all >= limits.readers ? "readers" : ofNetwork >= limits.readersOfNetwork ? "network" : undefined;
    if (reason !== undefined) {
      onRefused(reason);
      throw refusals[reason]();
    }
    all += 1;
    taken.set(network, ofNetwork + 1);
    return () => {
      all -= 1;
      const others = (taken.get(network) ?? 1) - 1;
      if (others === 0) taken.delete(network);
      else taken.set(network, others);
    };
  };
}

const instead = "load the page again from time to time instead.";
const later = { headers: { "retry-after": "10" } };
const refusals: Readonly<Record<RefuseReason, () => ProblemError>> = {
  readers: () => new ProblemError(503, "too-many-watchers", `Too many readers watch this; ${instead}`, later),
  network: () => new ProblemError(429, "too-many-requests", `Too many readers at your address watch this; ${instead}`, later),
};
