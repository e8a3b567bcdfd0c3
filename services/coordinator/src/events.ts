import type { ReportMessage } from "@quorate/protocol/job";
import type { Verdict } from "@quorate/protocol/verdict";
import type { Logger } from "@quorate/service/logger";

/** Everything that the coordinator tells whoever runs it: one function for each event. */
export type CoordinatorEvents = ReturnType<typeof createEvents>;

export function createEvents(logger: Logger) {
  return {
    started: (url: string) => logger.info({ url }, "coordinator listens"),
    submitted: (submission: string, targets: number, created: boolean) => logger.info({ submission, targets, created }, "submission taken"),
    enrolled: (operator: string, name: string, index: number) => logger.info({ operator, name, index }, "operator enrolled"),
    stepTaken: (round: string, step: string, milliseconds: number) => logger.info({ round, step, milliseconds }, "round went on"),
    stepFailed: (round: string, error: unknown, nextTryAt: Date) =>
      logger.warn({ round, err: error, nextTryAt }, "a step of a round failed and is tried again"),
    settled: (round: string, verdict: Verdict, index: number) =>
      logger.info({ round, target: verdict.target, outcome: verdict.outcome, index }, "verdict"),
    reportTaken: ({ kind, job, fence }: ReportMessage) => logger.debug({ report: kind, job, fence }, "report taken"),
    reportRefused: ({ kind, job, fence }: ReportMessage, { rule, detail }: { rule: string; detail: string }) =>
      logger.warn({ report: kind, job, fence, rule, detail }, "report refused"),
    reportFailed: (subject: string, error: unknown, deliveries: number) =>
      logger.warn({ subject, err: error, deliveries }, "a report could not be taken and will be delivered again"),
    transport: (what: string, error?: unknown) => logger.warn({ err: error }, `NATS: ${what}`),
    jobsPublishedAgain: (jobs: number) => logger.warn({ jobs }, "NATS has lost its store: jobs that are under way are published again"),
    queueFailed: (error: unknown) => logger.warn({ err: error }, "Redis: rounds go on with the next sweep that finds it"),
    databaseFailed: (error: unknown) => logger.warn({ err: error }, "a database connection failed"),
    sweepFailed: (error: unknown) => logger.warn({ err: error }, "looking for due rounds failed"),
  };
}
