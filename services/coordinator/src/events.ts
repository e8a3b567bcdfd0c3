import type { ReportMessage } from "@quorate/protocol/job";
import type { Verdict } from "@quorate/protocol/verdict";
import type { DeliveryAttempt } from "@quorate/protocol/webhook";
import type { Logger } from "@quorate/service/logger";
import type { Metrics } from "@quorate/service/metrics";

/** Everything that the coordinator tells whoever runs it: one function for each event. */
export type CoordinatorEvents = ReturnType<typeof createEvents>;

export function createEvents(logger: Logger, metrics: Metrics) {
  const stepSeconds = metrics.histogram({ name: "coordinator_step_seconds", help: "Time that a step of a round takes, by step." });
  const stepFailures = metrics.counter({
    name: "coordinator_step_failures_total",
    help: "Steps of rounds that failed and are tried again.",
  });
  const verdicts = metrics.counter({ name: "coordinator_verdicts_total", help: "Verdicts, by outcome." });
  const reports = metrics.counter({ name: "coordinator_reports_total", help: "Reports of workers, by kind and what came of them." });
  const enrolments = metrics.counter({ name: "coordinator_enrolments_total", help: "Operators that enrolled." });
  const registrations = metrics.counter({
    name: "coordinator_worker_registrations_total",
    help: "Registrations of workers, by whether the worker is new.",
  });
  const submissions = metrics.counter({ name: "coordinator_submissions_total", help: "Submissions taken, by whether they were new." });
  const deliveries = metrics.counter({
    name: "coordinator_webhook_attempts_total",
    help: "Attempts at messages to webhooks, by what came of them.",
  });
  const transportTroubles = metrics.counter({
    name: "coordinator_transport_troubles_total",
    help: "Troubles, by the service it was with.",
  });
  return {
    started: (url: string) => logger.info({ url }, "coordinator listens"),
    consoleStarted: (console: string) => logger.info({ console }, "the console listens"),
    submitted(submission: string, targets: number, created: boolean) {
      submissions.add(1, { created: String(created) });
      logger.info({ submission, targets, created }, "submission taken");
    },
    enrolled(operator: string, name: string, index: number) {
      enrolments.add();
      logger.info({ operator, name, index }, "operator enrolled");
    },
    operatorPending: (operator: string) => logger.info({ operator }, "an operator asks to be admitted"),
    operatorChanged: (operator: string, action: string, index: number) => logger.info({ operator, action, index }, "operator changed"),
    workerRegistered(operator: string, worker: string, isNew: boolean) {
      registrations.add(1, { new: String(isNew) });
      logger.info({ operator, worker, isNew }, "worker registered");
    },
    workerDismissed: (operator: string, worker: string) => logger.info({ operator, worker }, "worker dismissed"),
    stepTaken(round: string, step: string, seconds: number) {
      stepSeconds.observe(seconds, { step });
      logger.info({ round, step, seconds }, "round went on");
    },
    stepFailed(round: string, error: unknown, nextTryAt: Date) {
      stepFailures.add();
      logger.warn({ round, err: error, nextTryAt }, "a step of a round failed and is tried again");
    },
    settled(round: string, { outcome, target }: Verdict, index: number) {
      verdicts.add(1, { outcome });
      logger.info({ round, target, outcome, index }, "verdict");
    },
    reportTaken({ kind, job, fence }: ReportMessage) {
      reports.add(1, { kind, outcome: "taken" });
      logger.debug({ report: kind, job, fence }, "report taken");
    },
    reportRefused({ kind, job, fence }: ReportMessage, { rule, detail }: { rule: string; detail: string }) {
      reports.add(1, { kind, outcome: rule });
      logger.warn({ report: kind, job, fence, rule, detail }, "report refused");
    },
    reportFailed(subject: string, error: unknown, deliveries: number) {
      transportTroubles.add(1, { service: "reports" });
      logger.warn({ subject, err: error, deliveries }, "a report could not be taken and will be delivered again");
    },
    transport(what: string, error?: unknown) {
      transportTroubles.add(1, { service: "nats" });
      logger.warn({ err: error }, `NATS: ${what}`);
    },
    jobsPublishedAgain: (jobs: number) => logger.warn({ jobs }, "NATS has lost its store: jobs that are under way are published again"),
    webhookDelivered(webhook: string, message: string) {
      deliveries.add(1, { outcome: "delivered" });
      logger.debug({ webhook, message }, "webhook delivered");
    },
    webhookFailed(webhook: string, message: string, attempt: DeliveryAttempt, nextAttemptAt: Date | null) {
      deliveries.add(1, { outcome: nextAttemptAt === null ? "given-up" : "failed" });
      logger.info({ webhook, message, attempt, nextAttemptAt }, "a webhook's message was not taken");
    },
    webhooksUnsent: (error: unknown) => logger.warn({ err: error }, "sending webhooks failed; it is tried again"),
    queueFailed(error: unknown) {
      transportTroubles.add(1, { service: "redis" });
      logger.warn({ err: error }, "Redis: rounds go on with the next sweep that finds it");
    },
    databaseFailed(error: unknown) {
      transportTroubles.add(1, { service: "database" });
      logger.warn({ err: error }, "a database connection failed");
    },
    sweepFailed: (error: unknown) => logger.warn({ err: error }, "looking for due rounds failed"),
    credentialsStay: (error: unknown) => logger.warn({ err: error }, "ending credentials at the NATS server failed; it is tried again"),
    statementsUnfinished: (error: unknown) =>
      logger.warn({ err: error }, "logging what operators signed failed; it is tried again, and until then no committee is drawn"),
  };
}
