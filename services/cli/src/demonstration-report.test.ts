import { expect, it } from "vitest";
import { demonstrationReport } from "./demonstration-report.ts";
import { at, digest, jobOf, roundOf, submissionOf, verdictOf } from "./progress/submission.fixture.ts";
import { layoutOf } from "./up/layout.ts";

const network = { url: "http://127.0.0.1:8420", siteUrl: "http://127.0.0.1:8421", layout: layoutOf("/data") };
const seconds = { network: 3, resolve: 2 };

it("says how long each phase took", () => {
  const job = (name: string, from: number, to: number) =>
    jobOf(name, { phase: "revealed", startedAt: at(from), committedAt: at(to), outcome: "built" });
  const submission = submissionOf(
    roundOf({
      state: "settled",
      committeeDrawnAt: at(1),
      settledAt: at(20),
      jobs: [job("alder", 2, 10), job("birch", 2, 18), job("cedar", 3, 12)],
      verdict: verdictOf("reproduced"),
      verdictIndex: 14,
    }),
  );
  const report = demonstrationReport({ submission, network, logSize: 15, evidence: {}, seconds });
  expect(report.phases).toEqual({ network: 3, resolve: 2, committee: 1, build: 17, slowestBuild: 16, verdict: 2, total: 20 });
  expect(report).toMatchObject({ verdict: "reproduced", logIndex: 14, logSize: 15 });
  expect(report.artifacts).toEqual([
    {
      file: "mailgraph_1.14-19_all.deb",
      outcome: "reproduced",
      reference: digest("published"),
      rebuilt: { alder: digest("published"), birch: digest("published"), cedar: digest("another") },
    },
  ]);
});

it("reports the outcome that says most against the package", () => {
  const rounds = (["reproduced", "unreproducible"] as const).map((outcome) => roundOf({ verdict: verdictOf(outcome) }));
  expect(demonstrationReport({ submission: submissionOf(...rounds), network, logSize: 1, evidence: {}, seconds }).verdict).toBe(
    "unreproducible",
  );
});
