import type { Api } from "@quorate/client/api";
import type { RoundView } from "@quorate/protocol/submission";

/** Rounds that have no verdict yet, as the coordinator tells; undefined when it does not answer. */
export type LiveView = readonly RoundView[] | undefined;

const states = ["revealing", "settling", "building", "planned"] as const;
const roundsOfState = 20;
const keptMilliseconds = 1000;

/** Asks the coordinator once a second at the most, however many readers there are. */
export function createLiveRounds({
  api,
  onError,
}: {
  api: Pick<Api, "rounds">;
  onError: (error: unknown) => void;
}): () => Promise<LiveView> {
  let kept: { readonly at: number; readonly view: Promise<LiveView> } | undefined;
  const load = async (): Promise<LiveView> => {
    try {
      const signal = AbortSignal.timeout(5000);
      return (await Promise.all(states.map((state) => api.rounds({ state, limit: roundsOfState }, { signal })))).flat();
    } catch (error) {
      onError(error);
      return undefined;
    }
  };
  return () => {
    if (kept === undefined || performance.now() - kept.at > keptMilliseconds) kept = { at: performance.now(), view: load() };
    return kept.view;
  };
}
