import type { SubmissionView } from "@quorate/protocol/submission";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import type { TestOperator } from "./test-operator.fixture.ts";

const sources = ["alpha", "beta"].map((source) => ({ source, version: "1.0", architecture: "all" as const }));
let network: TestNetwork;
let operators: TestOperator[];
beforeAll(async () => {
  network = await startTestNetwork({ sources });
  operators = [];
  for (const name of ["Ada", "Bert", "Cyd"]) operators.push(await network.enrol(name));
});
afterAll(() => network[Symbol.asyncDispose]());

const submit = (source: string) => network.api.submit({ distribution: "debian", suite: "small", source });

async function settled({ id }: SubmissionView): Promise<SubmissionView> {
  for await (const event of network.api.submissionEvents(id)) {
    if (event.kind === "submission" && event.submission.rounds.every(({ state }) => state === "settled")) return event.submission;
  }
  throw new Error("the events ended before the rounds had settled");
}

test("three operators that build what was published reach `reproduced`", async () => {
  const submission = await submit("alpha");
  await Promise.all(operators.map((operator) => operator.work()));
  const { rounds } = await settled(submission);
  expect(rounds).toMatchObject([{ state: "settled", verdict: { outcome: "reproduced", dissent: [] } }]);
});
