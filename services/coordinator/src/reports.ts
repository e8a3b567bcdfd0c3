import { maxTraceBytes } from "@quorate/attestation/build-trace";
import type { VerifySignature } from "@quorate/attestation/p256";
import type { ReportMessage } from "@quorate/protocol/job";
import type { Sha256 } from "@quorate/protocol/digest";
import { unreachable } from "@quorate/protocol/unreachable";
import { traceDigestOf } from "@quorate/verdict/evidence";
import { admitCommitment, admitFence, admitResult, type AdmissionFacts, type Refusal } from "./admit.ts";
import type { BlobStore } from "./blob-store.ts";
import type { Database } from "./database.ts";
import type { CoordinatorEvents } from "./events.ts";
import type { NetworkLog } from "./network-log.ts";
import { logReceived } from "./received.ts";
import { findJob, saveDeclined, saveStarted, type StoredJob } from "./store/jobs.ts";
import { findOperator } from "./store/operators.ts";
import { saveReceived } from "./store/received-envelopes.ts";
import { findRound } from "./store/rounds.ts";
import { findTarget } from "./store/targets.ts";

type Dependencies = {
  db: Database;
  log: NetworkLog;
  blobs: Pick<BlobStore, "load">;
  verify: VerifySignature;
  now: () => Date;
  events: CoordinatorEvents;
  /** The round has something new to decide on. */
  progressed: (round: Sha256) => void;
};

type Report<Kind extends ReportMessage["kind"]> = Extract<ReportMessage, { kind: Kind }>;
type Facts = AdmissionFacts & { job: StoredJob };

/** Takes reports. What resolves is durable or refused for good and may be acknowledged; what rejects must be delivered again. */
export function createReportHandler(dependencies: Dependencies): (report: ReportMessage) => Promise<void> {
  const { db, verify, events, progressed } = dependencies;
  return async (report) => {
    const job = await findJob(db, report.job);
    const [round, operator] = job ? await Promise.all([findRound(db, job.round), findOperator(db, job.operator)]) : [];
    const target = round && (await findTarget(db, round.target));
    if (!job || !round || !target || !operator || job.operator !== report.operator || job.round !== report.round) {
      return events.reportRefused(report, { rule: "not-this-job", detail: "there is no such job" });
    }
    const refusal = await takeReport(dependencies, report, { round, target: target.target, job, operator, verify });
    if (refusal) return events.reportRefused(report, refusal);
    events.reportTaken(report);
    progressed(job.round);
  };
}

async function takeReport(dependencies: Dependencies, report: ReportMessage, facts: Facts): Promise<Refusal | undefined> {
  switch (report.kind) {
    case "started":
      return takeStarted(dependencies, report, facts);
    case "commitment":
      return takeCommitment(dependencies, report, facts);
    case "result":
      return takeResult(dependencies, report, facts);
    case "declined":
      return takeDeclined(dependencies, report, facts);
    default:
      return unreachable(report);
  }
}

async function takeStarted({ db, now }: Dependencies, report: Report<"started">, { job }: Facts): Promise<Refusal | undefined> {
  const stale = admitFence(report.fence, job);
  // Once an operator is bound to a result, a later delivery of the job must not keep that result out.
  if (!stale && !job.committedAt) await saveStarted(db, job.job, report.fence, now());
  return stale;
}

async function takeCommitment(dependencies: Dependencies, report: Report<"commitment">, facts: Facts): Promise<Refusal | undefined> {
  const admission = admitCommitment(report, facts);
  if (admission.kind !== "admit") return admission.kind === "refuse" ? admission : undefined;
  return receive(dependencies, "commitment", { report, envelope: admission.envelope });
}

async function takeResult(dependencies: Dependencies, report: Report<"result">, facts: Facts): Promise<Refusal | undefined> {
  const admission = admitResult(report, facts);
  if (admission.kind !== "admit") return admission.kind === "refuse" ? admission : undefined;
  // Everyone who recomputes the verdict needs the trace.
  const trace = traceDigestOf(admission.result);
  if (trace !== undefined && !(await isReadable(dependencies.blobs, trace))) {
    const detail = `its build trace ${trace}, of at most ${maxTraceBytes} bytes, must be uploaded first; then it may be sent again`;
    return { kind: "refuse", rule: "missing-blob", detail };
  }
  return receive(dependencies, "result", { report, envelope: admission.envelope });
}

async function isReadable(blobs: Pick<BlobStore, "load">, trace: Sha256): Promise<boolean> {
  return blobs.load(trace, maxTraceBytes).then(
    () => true,
    () => false,
  );
}

async function takeDeclined({ db }: Dependencies, report: Report<"declined">, { job }: Facts): Promise<Refusal | undefined> {
  const stale = admitFence(report.fence, job);
  if (!stale && !job.committedAt) await saveDeclined(db, job.job, report.reason);
  return stale;
}

async function receive(
  dependencies: Dependencies,
  kind: "commitment" | "result",
  admitted: { report: ReportMessage; envelope: Uint8Array },
): Promise<Refusal | undefined> {
  const { job, round, operator, fence } = admitted.report;
  const received = { job, kind, round, operator, fence, envelope: admitted.envelope };
  if (!(await saveReceived(dependencies.db, received, kind === "commitment" ? "building" : "revealing"))) {
    return { kind: "refuse", rule: "wrong-state", detail: "the round went on while it was looked at" };
  }
  await logReceived(dependencies, received);
  return undefined;
}
