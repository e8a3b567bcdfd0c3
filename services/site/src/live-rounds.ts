import type { Api } from "@quorate/client/api";
import type { RoundView } from "@quorate/protocol/submission";
import { keepAnswer } from "./keep-answer.ts";

/** Rounds that have no verdict yet, as the coordinator tells; undefined when it does not answer. */
export type LiveView = readonly RoundView[] | undefined;

const states = ["revealing", "settling", "building", "planned"] as const;
const roundsOfState = 20;
const keptMilliseconds = 1000;

type Given = { api: Pick<Api, "rounds">; onError: (error: unknown) => void };

/** Asks the coordinator once a second at the most, however many readers there are. */
export function createLiveRounds({ api, onError }: Given): () => Promise<LiveView> {
  return keepAnswer(keptMilliseconds, async () => {
    try {
      const signal = AbortSignal.timeout(5000);
      return (await Promise.all(states.map((state) => api.rounds({ state, limit: roundsOfState }, { signal })))).flat();
    } catch (error) {
      onError(error);
      return undefined;
    }
  });
}
