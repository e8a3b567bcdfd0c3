import { operatorIdOf } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import type { WorkerStatus } from "@quorate/protocol/worker";
import { expect, test } from "vitest";
import { workerLogLine, workerStatusLines } from "./worker-lines.ts";

const now = new Date("2026-11-23T08:10:00Z");
const status: WorkerStatus = {
  pid: 1,
  operator: operatorIdOf(utf8("ada")),
  worker: `U${"A".repeat(55)}`,
  state: "working",
  since: "2026-11-23T08:00:00Z",
  job: "a job",
  activity: "building: gcc",
  jobsCommitted: 3,
  unrevealed: 1,
};

test.each([
  ['{"level":30,"time":"2026-11-23T08:00:01.5Z","msg":"job taken","job":"0123456789abcdef"}', "08:00:01 job taken (job 0123456789ab)"],
  [
    '{"level":40,"time":"2026-11-23T08:00:01Z","msg":"job given back","reason":"stopping","err":{"message":"lost"}}',
    "08:00:01 job given back (stopping; lost)",
  ],
  ['{"level":60,"time":"2026-11-23T08:00:01Z","msg":"loading x: no key","err":{"message":"loading x"}}', "08:00:01 loading x: no key"],
  ["a line of another program", "a line of another program"],
  ['{"some":"json"}', '{"some":"json"}'],
])("a line of the log is said in words: %s", (line, expected) => {
  expect(workerLogLine(line)).toBe(expected);
});

test("a worker at work shows what it does, for how long, and what it still owes", () => {
  const text = workerStatusLines(status, true, now).join("\n");
  expect(text).toMatch(/working, for 10 min 00 s; job a job\n.*building: gcc\n.*3 jobs.*1 results here/);
});

test("a worker that is not there is said to be so, with how to start it", () => {
  for (const [known, isAlive] of [[undefined, false] as const, [status, false] as const]) {
    expect(workerStatusLines(known, isAlive, now)).toEqual(["worker     not running here; start it with: quorate worker"]);
  }
});
