import type { RoundView, SubmissionView } from "@quorate/protocol/submission";
import type { VerdictOutcome } from "@quorate/protocol/verdict";
import type { SavedEvidence } from "./demonstration-evidence.ts";
import { jobSeconds, secondsBetween } from "./progress/submission-lines.ts";
import type { Network } from "./up/network.ts";

/** What `quorate start --json` prints. Every duration is in seconds. */
export type DemonstrationReport = ReturnType<typeof demonstrationReport>;

/** From the outcome that says most against a package to the one that speaks for it. */
const gravest: readonly VerdictOutcome[] = ["mismatch", "unreproducible", "failed", "inconclusive", "reproduced"];

export function demonstrationReport(given: {
  submission: SubmissionView;
  network: Pick<Network, "url" | "siteUrl" | "layout">;
  logSize: number;
  evidence: SavedEvidence;
  seconds: { network: number; resolve: number };
}) {
  const { submission, network, logSize, evidence, seconds } = given;
  const { rounds } = submission;
  return {
    verdict: gravest.find((outcome) => rounds.some(({ verdict }) => verdict?.outcome === outcome)),
    targets: rounds.map(targetReport),
    artifacts: rounds.flatMap(artifactReports),
    operators: rounds.flatMap(operatorReports),
    logSize,
    logIndex: rounds.find(({ verdictIndex }) => verdictIndex !== undefined)?.verdictIndex,
    ...evidence,
    policyPath: network.layout.trustPolicy,
    url: network.url,
    pageUrl: pageUrl(network.siteUrl, rounds),
    dataDirectory: network.layout.root,
    phases: phaseSeconds(rounds, seconds),
  };
}

/** The page that shows the verdict: on its first artifact, where it has one. */
function pageUrl(siteUrl: string, rounds: readonly RoundView[]): string {
  const [artifact] = rounds.flatMap(({ verdict }) => verdict?.artifacts ?? []);
  return artifact === undefined ? siteUrl : `${siteUrl}/artifact/${artifact.reference}`;
}

function targetReport({ target, round, distribution, suite, source, version, architecture, verdict, verdictIndex, reason }: RoundView) {
  const why = verdict?.reason ?? reason;
  return {
    target,
    round,
    distribution,
    suite,
    source,
    version,
    architecture,
    verdict: verdict?.outcome,
    reason: why,
    logIndex: verdictIndex,
  };
}

function artifactReports({ verdict, jobs }: RoundView) {
  const nameOf = (operator: string): string => jobs.find((job) => job.operator === operator)?.operatorName ?? operator;
  return (verdict?.artifacts ?? []).map(({ file, reference, outcome, digests }) => ({
    file,
    outcome,
    reference,
    rebuilt: Object.fromEntries(digests.flatMap(({ sha256, operators }) => operators.map((operator) => [nameOf(operator), sha256]))),
  }));
}

function operatorReports(round: RoundView) {
  return round.jobs.map((job) => ({
    operator: job.operator,
    name: job.operatorName,
    round: round.round,
    phase: job.phase,
    outcome: job.outcome,
    seconds: jobSeconds(job, new Date()),
  }));
}

/** `slowestBuild` is the longest from the start of a job to its commitment; `total` from the submission's acceptance to the last verdict. */
function phaseSeconds(rounds: readonly RoundView[], { network, resolve }: { network: number; resolve: number }) {
  const span = (from: (round: RoundView) => string | undefined, to: (round: RoundView) => string | undefined): number =>
    Math.max(
      0,
      ...rounds.map((round) => {
        const [start, end] = [from(round), to(round)];
        return start === undefined || end === undefined ? 0 : secondsBetween(start, end);
      }),
    );
  const lastCommitment = (round: RoundView): string | undefined =>
    round.jobs
      .flatMap(({ committedAt }) => committedAt ?? [])
      .toSorted()
      .at(-1);
  return {
    network,
    resolve,
    committee: span(
      ({ submittedAt }) => submittedAt,
      ({ committeeDrawnAt }) => committeeDrawnAt,
    ),
    build: span(({ committeeDrawnAt }) => committeeDrawnAt, lastCommitment),
    slowestBuild: Math.max(0, ...rounds.flatMap(({ jobs }) => jobs.map((job) => jobSeconds(job, new Date()) ?? 0))),
    verdict: span(lastCommitment, ({ settledAt }) => settledAt),
    total: span(
      ({ submittedAt }) => submittedAt,
      ({ settledAt }) => settledAt,
    ),
  };
}
