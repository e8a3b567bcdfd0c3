import { setTimeout as delay } from "node:timers/promises";
import type { SiteEvents } from "./events.ts";
import { type Follower, followLog } from "./follow-log.ts";

export type Following = AsyncDisposable & {
  /** Resolves once the log has been read to its newest checkpoint for the first time. */
  readonly first: Promise<void>;
  readonly unreachableSince: Date | undefined;
};

/** Follows the log again and again. What fails is said, and tried again. */
export function startFollowing(given: { follower: Follower; everyMilliseconds: number; events: SiteEvents }): Following {
  const { follower, everyMilliseconds, events } = given;
  const stop = new AbortController();
  const first = Promise.withResolvers<void>();
  let unreachableSince: Date | undefined;
  const follow = async () => {
    while (!stop.signal.aborted) {
      try {
        events.followed(await followLog({ ...follower, signal: stop.signal }));
        unreachableSince = undefined;
        first.resolve();
      } catch (error) {
        if (stop.signal.aborted) return;
        unreachableSince ??= new Date();
        events.followFailed(error);
      }
      await delay(everyMilliseconds, undefined, { signal: stop.signal }).catch(() => {});
    }
  };
  const running = follow();
  return {
    first: first.promise,
    get unreachableSince() {
      return unreachableSince;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
