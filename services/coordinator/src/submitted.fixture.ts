import type { RoundView } from "@quorate/protocol/submission";
import type { TestNetwork } from "./network.fixture.ts";

/** The round of a submission of one source. */
export type SubmittedRound = {
  /** The round, as soon as it is as wanted. */
  once(wanted: (round: RoundView) => boolean): Promise<RoundView>;
  settled(): Promise<RoundView>;
};

export async function submitted(network: Pick<TestNetwork, "api">, source: string): Promise<SubmittedRound> {
  const { id } = await network.api.submit({ distribution: "debian", suite: "small", source });
  const once: SubmittedRound["once"] = async (wanted) => {
    for await (const event of network.api.submissionEvents(id)) {
      const round = event.kind === "submission" ? event.submission.rounds[0] : undefined;
      if (round && wanted(round)) return round;
    }
    throw new Error("the events ended before the round was as wanted");
  };
  return { once, settled: () => once(({ state }) => state === "settled") };
}
