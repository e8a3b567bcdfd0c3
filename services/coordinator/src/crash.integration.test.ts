import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { startTestNetwork } from "./network.fixture.ts";
import { replayLog } from "./replay.fixture.ts";
import { submitted } from "./submitted.fixture.ts";

const names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];
/** Milliseconds from each start to the next kill: a round takes about 400 from one end to the other. */
const lives = [50, 150, 300, 450, 600, 900];

test("rounds reach their verdicts though the coordinator is killed again and again, and the log replays", async () => {
  await using network = await startTestNetwork({
    sources: names.map((source) => ({ source, version: "1.0", architecture: "all" })),
    isProcess: true,
  });
  const operators = [await network.enrol("Ada"), await network.enrol("Bert"), await network.enrol("Cyd")];
  const rounds = [];
  for (const name of names) rounds.push(await submitted(network, name));
  for (const operator of operators) operator.serve();
  for (const milliseconds of lives) {
    await delay(milliseconds);
    await network.crash();
  }
  for (const round of rounds) expect(await round.settled()).toMatchObject({ verdict: { outcome: "reproduced", dissent: [] } });
  const { verdicts } = await replayLog(network.api);
  expect(verdicts).toHaveLength(names.length);
  for (const { verdict } of verdicts) expect(verdict.inputs).toHaveLength(3);
});
