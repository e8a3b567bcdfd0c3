import { expect, it } from "vitest";
import { withLive } from "./follow.ts";
import { at, jobOf, roundOf, submissionOf } from "./submission.fixture.ts";
import { submissionLines } from "./submission-lines.ts";

it("shows what each operator does, for how long, and how long it is expected to take", () => {
  const round = roundOf({
    jobs: [
      jobOf("alder", { phase: "building", startedAt: at(2), estimateSeconds: 9, activity: "dh_auto_build" }),
      jobOf("birch", { phase: "committed", outcome: "built", startedAt: at(2), committedAt: at(8), estimateSeconds: 9, activity: "stale" }),
      jobOf("dogwood"),
    ],
  });
  expect(submissionLines(submissionOf(round), new Date(at(12)))).toEqual([
    "debian/bookworm mailgraph 1.14-19 (all): rebuilding, 12 s",
    "  alder    building, 10 s of about 9.0 s: dh_auto_build",
    "  birch    committed, 6.0 s",
    "  dogwood  waiting for its worker",
  ]);
});

it("takes live messages before the coordinator's view says so, and none after a commitment", () => {
  const submission = submissionOf(
    roundOf({ jobs: [jobOf("alder", { startedAt: at(1) }), jobOf("birch", { phase: "committed", committedAt: at(2) })] }),
  );
  const live = (name: string) => ({ ...jobOf(name), round: roundOf().round, phase: "building" as const, activity: "make" });
  const phases = [live("alder"), live("birch")].reduce(withLive, submission).rounds.flatMap(({ jobs }) => jobs.map(({ phase }) => phase));
  expect(phases).toEqual(["building", "committed"]);
});
