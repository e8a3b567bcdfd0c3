import type { Failure } from "@quorate/protocol/result";
import type { Logger } from "@quorate/service/logger";

/** Everything that the worker tells whoever runs it: one function for each event. */
export type WorkerEvents = ReturnType<typeof createWorkerEvents>;

export function createWorkerEvents(logger: Logger) {
  return {
    started: (operator: string, name: string, natsUrls: readonly string[]) =>
      logger.info({ operator, operatorName: name, natsUrls }, "worker is ready"),
    registered: (operator: string, expiresAt: string) => logger.info({ operator, expiresAt }, "registered"),
    pending: (operator: string, pauseMilliseconds: number) =>
      logger.info({ operator, pauseMilliseconds }, "the network has not admitted this operator yet; waiting"),
    credentialsRefused: () => logger.warn("NATS refuses the credentials; registering again"),
    retrying: (what: string, error: unknown, pauseMilliseconds: number) =>
      logger.warn({ reason: reasonOf(error), pauseMilliseconds }, `${what} failed; it is tried again`),
    transport: (what: string, error?: unknown) => logger.warn({ err: error }, `NATS: ${what}`),
    malformedMessage: (kind: string, error: unknown) => logger.warn({ err: error }, `a malformed ${kind} message was thrown away`),
    jobTaken: (job: string, fence: number) => logger.info({ job, fence }, "job taken"),
    jobCommitted: (job: string, fence: number, envelope: string, again: boolean) =>
      logger.info({ job, fence, envelope, again }, "commitment sent"),
    jobDeclined: (job: string, reason: string) => logger.warn({ job, reason }, "job declined"),
    jobGivenBack: (job: string, reason: string, error?: unknown) => logger.warn({ job, reason, err: error }, "job given back"),
    built: (job: string, artifacts: number, seconds: number) => logger.info({ job, artifacts, seconds }, "built"),
    buildFailed: (job: string, failure: Failure) => logger.warn({ job, ...failure }, "build failed"),
    executorBroken: (job: string, error: unknown) => logger.error({ job, err: error }, "the executor broke its contract"),
    byproductLeftOut: (job: string, name: string, reason: unknown) =>
      logger.warn({ job, byproduct: name, reason: String(reason) }, "a byproduct is left out of the result"),
    undeletable: (path: string, error: unknown) =>
      logger.warn({ path, err: error }, "a build's directory could not be deleted; delete it by hand"),
    revealed: (job: string) => logger.info({ job }, "result revealed"),
    nothingToReveal: (job: string) => logger.debug({ job }, "asked to reveal a result that another worker has"),
    revealFailed: (job: string, error: unknown) => logger.warn({ job, err: error }, "revealing failed; the coordinator will ask again"),
    cancelled: (job: string) => logger.info({ job }, "the coordinator cancelled a job"),
    draining: (busy: boolean) => logger.info({ busy }, "no more jobs are taken"),
  };
}

/** What is tried again needs no stack. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
