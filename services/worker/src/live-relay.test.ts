import { sampleBuilt } from "@quorate/attestation/nouns.fixture";
import { jobIdOf, type LiveMessage, liveMessageSchema } from "@quorate/protocol/job";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLiveRelay } from "./live-relay.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const { round, operator } = sampleBuilt;
const job = { job: jobIdOf(round, operator), round, operator };

function record(): { sent: LiveMessage[]; relay: ReturnType<typeof createLiveRelay> } {
  const sent: LiveMessage[] = [];
  return { sent, relay: createLiveRelay(job, (message) => sent.push(liveMessageSchema.parse(message))) };
}

test("lines that come close together go in one message", () => {
  const { sent, relay } = record();
  using _ = relay;
  for (const line of ["a", "b", "c"]) relay.progress({ phase: "building", logLines: [line] });
  vi.advanceTimersByTime(500);
  expect(sent).toEqual([{ ...job, phase: "building", logLines: ["a", "b", "c"] }]);
});

test("a build that says nothing still shows that the worker lives", () => {
  const { sent, relay } = record();
  using _ = relay;
  relay.progress({ phase: "building", activity: "compiling" });
  vi.advanceTimersByTime(16_000);
  expect(sent.length).toBeGreaterThanOrEqual(3);
  expect(new Set(sent.map(({ activity }) => activity))).toEqual(new Set(["compiling"]));
});

test("a flood of long lines is cut and said to be", () => {
  const { sent, relay } = record();
  using _ = relay;
  relay.progress({ phase: "building", logLines: Array.from({ length: 100_000 }, () => "x".repeat(10_000)) });
  vi.advanceTimersByTime(500);
  expect(sent[0]?.logLines).toHaveLength(201);
  expect(sent[0]?.logLines?.at(-1)).toBe("[99800 lines are left out here]");
  expect(JSON.stringify(sent[0]).length).toBeLessThan(200_000);
});

test("what is said last is sent even when the job ends at once", () => {
  const { sent, relay } = record();
  relay.progress({ phase: "committed" });
  relay[Symbol.dispose]();
  expect(sent.at(-1)?.phase).toBe("committed");
  vi.advanceTimersByTime(60_000);
  expect(sent).toHaveLength(1);
});

test("control characters in an activity cannot make a message that is refused", () => {
  const { sent, relay } = record();
  using _ = relay;
  relay.progress({ phase: "fetching", activity: `un\u0000pack\u202e\n${"y".repeat(1000)}`, logLines: ["\ud800"] });
  vi.advanceTimersByTime(500);
  expect(sent[0]?.activity).toMatch(/^un pack y+…$/);
});
