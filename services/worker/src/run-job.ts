import type { LeasedJob, WorkerBus } from "@quorate/bus/worker-bus";
import type { Api } from "@quorate/client/api";
import type { Blobs } from "@quorate/client/blobs";
import { ApiError } from "@quorate/client/http";
import { type JobMessage, type ReportMessage } from "@quorate/protocol/job";
import type { Sha256 } from "@quorate/protocol/digest";
import { type Target, targetDigestOf } from "@quorate/protocol/target";
import { textOf } from "@quorate/protocol/utf8";
import { signOperatorStatement } from "@quorate/signing/envelope";
import type { LinkSigner } from "@quorate/signing/link-key";
import type { OperatorSigner } from "@quorate/signing/operator-signer";
import { randomBytes } from "node:crypto";
import { failedOutcome, signResult } from "./attest.ts";
import { prepareByproducts, uploadByproducts } from "./byproducts.ts";
import type { WorkerEvents } from "./events.ts";
import type { BuildLimits, BuildOutcome, Executor } from "./executor.ts";
import { createLiveRelay, type LiveRelay } from "./live-relay.ts";
import { plainLine } from "./plain-line.ts";
import { retryRequest } from "./retry-request.ts";
import type { RevealStore, StoredResult } from "./reveal-store.ts";
import { createWorkDirectory } from "./work-directory.ts";

export type JobDependencies = {
  bus: Pick<WorkerBus, "report" | "live">;
  api: Pick<Api, "target">;
  blobs: Pick<Blobs, "get" | "put">;
  executor: Executor;
  signer: OperatorSigner;
  linkSigner: LinkSigner;
  store: RevealStore;
  events: WorkerEvents;
  architectures: readonly string[];
  dataDirectory: string;
  parallel: number;
  limits: BuildLimits;
};

export type JobSignals = {
  /** The worker is ending: builds are given back, what is nearly done is finished. */
  stopping: AbortSignal;
  /** The worker cannot wait any longer. */
  ending: AbortSignal;
  /** The coordinator no longer wants this job. */
  cancelled: AbortSignal;
};

/** Why a job that will not be done is not done; the coordinator is told, and calls a stand-in. */
class DeclinedError extends Error {}

/**
 * Does one job, from `started` to the acknowledgement, which comes only after the commitment is durable at the other end and the result is
 * durable here. What cannot be done now is given back; what cannot be done at all is declined.
 *
 * @returns whether it is committed to
 */
export async function runJob(leased: LeasedJob, dependencies: JobDependencies, signals: JobSignals): Promise<boolean> {
  const { events, bus, signer } = dependencies;
  const { job, round } = leased.message;
  events.jobTaken(job, leased.fence);
  const heartbeat = setInterval(() => leased.keepAlive(), keepAliveMilliseconds);
  using live = createLiveRelay({ job, round, operator: signer.operator }, (message) => bus.live(message));
  try {
    const stored = await dependencies.store.find(job);
    const result = stored ?? (await buildAndStore(leased, { ...dependencies, live }, signals));
    await commit(leased, result, { dependencies, again: stored !== undefined, signal: signals.ending });
    live.progress({ phase: "committed" });
    return true;
  } catch (error) {
    await giveUp(leased, error, { dependencies, signals });
    return false;
  } finally {
    clearInterval(heartbeat);
  }
}

/** A third of the lease, so that two lost signals do not lose the job. */
const keepAliveMilliseconds = 20_000;
const giveBackSeconds = 30;

async function buildAndStore(
  leased: LeasedJob,
  dependencies: JobDependencies & { live: LiveRelay },
  signals: JobSignals,
): Promise<StoredResult> {
  const { signer, linkSigner, store, events, bus, blobs, live } = dependencies;
  const { message, fence } = leased;
  const { job, round } = message;
  using deadline = abortAt(new Date(message.commitBy), new DeclinedError("the deadline for commitments has passed"));
  const signal = AbortSignal.any([signals.stopping, signals.cancelled, deadline.signal]);
  signal.throwIfAborted();
  await bus.report({ kind: "started", job, round, operator: signer.operator, fence }, signal);
  const startedAt = new Date();
  const target = await fetchTarget(message, dependencies, signal);
  await using work = await createWorkDirectory(dependencies.dataDirectory, job, events.undeletable);
  const outcome = await build({ job, target, workDirectory: work.path }, dependencies, signal);
  const finishedAt = new Date();
  describeOutcome(job, outcome, { events, seconds: Math.round((finishedAt.getTime() - startedAt.getTime()) / 1000) });
  live.progress({ phase: "attesting" });
  // From here on the work is nearly done: only a lost cause ends it, or an end that cannot wait.
  const ending = AbortSignal.any([signals.ending, signals.cancelled, deadline.signal]);
  const upload = { blobs, job, ticket: message.uploadTicket, events, signal: ending };
  const byproducts = await uploadByproducts(await prepareByproducts(outcome, linkSigner), upload);
  const nonce = randomBytes(16).toString("hex");
  const facts = { job: message, fence, operator: signer.operator, target, nonce, startedAt, finishedAt };
  const sign = () => signResult(facts, outcome, { byproducts, signer });
  const { envelope, digest } = await retryRequest("signing the result", sign, { events, signal: ending });
  const result: StoredResult = { job, round, fence, digest, envelope: textOf(envelope) };
  await store.save(result);
  return result;
}

async function fetchTarget(message: JobMessage, { api, events, architectures }: JobDependencies, signal: AbortSignal): Promise<Target> {
  const ask = (): Promise<Target> => api.target(message.target, { signal });
  const target = await retryRequest("fetching the target", ask, { events, signal });
  const digest = targetDigestOf(target);
  if (digest !== message.target) throw new DeclinedError(`the coordinator sent target ${digest} instead of ${message.target}`);
  // All workers of an operator are offered all of its jobs: another one may be of that architecture.
  if (!architectures.includes(target.architecture)) throw new Error(`this worker does not build for ${target.architecture}`);
  return target;
}

async function build(
  { job, target, workDirectory }: { job: string; target: Target; workDirectory: string },
  { executor, blobs, events, live, parallel, limits }: JobDependencies & { live: LiveRelay },
  signal: AbortSignal,
): Promise<BuildOutcome> {
  const fetchBlob = (sha256: Sha256, signal: AbortSignal): Promise<Uint8Array> =>
    retryRequest(`fetching blob ${sha256}`, () => blobs.get(sha256, { signal }), { events, signal });
  try {
    return await executor.build({ target, workDirectory, parallel, limits, fetchBlob }, (progress) => live.progress(progress), signal);
  } catch (error) {
    signal.throwIfAborted();
    events.executorBroken(job, error);
    const message = plainLine(`the executor failed: ${String(error)}`, 500);
    return failedOutcome({ builderVersion: {}, sandboxProfile: "none" }, { reason: "infrastructure", step: "executor", message });
  }
}

function describeOutcome(job: string, outcome: BuildOutcome, { events, seconds }: { events: WorkerEvents; seconds: number }): void {
  if (outcome.kind === "built") events.built(job, outcome.artifacts.length, seconds);
  else events.buildFailed(job, outcome.failure);
}

type Committing = { dependencies: JobDependencies; again: boolean; signal: AbortSignal };

/** Sends the commitment to a stored result, with the fence of this lease, and only then lets go of the job. */
async function commit(leased: LeasedJob, stored: StoredResult, { dependencies, again, signal }: Committing): Promise<void> {
  const { signer, store, bus, events } = dependencies;
  const { job, round, digest } = stored;
  const { fence } = leased;
  if (stored.fence !== fence) await store.save({ ...stored, fence });
  const commitment = { round, operator: signer.operator, fence, envelope: digest };
  const sign = () => signOperatorStatement({ kind: "commitment", commitment }, [signer]);
  const envelope = textOf(await retryRequest("signing the commitment", sign, { events, signal }));
  await bus.report({ kind: "commitment", job, round, operator: signer.operator, fence, envelope }, signal);
  events.jobCommitted(job, fence, digest, again);
  await acknowledge(leased, events);
}

async function giveUp(leased: LeasedJob, error: unknown, context: { dependencies: JobDependencies; signals: JobSignals }): Promise<void> {
  const { dependencies, signals } = context;
  const { bus, events, signer } = dependencies;
  const { job, round } = leased.message;
  const reason = declineReason(error, signals);
  if (reason === undefined) {
    const stopping = signals.stopping.aborted;
    leased.giveBack(stopping ? 0 : giveBackSeconds);
    events.jobGivenBack(job, stopping ? "the worker is stopping" : "it could not be done now", stopping ? undefined : error);
    return;
  }
  events.jobDeclined(job, reason);
  const declined: ReportMessage = { kind: "declined", job, round, operator: signer.operator, fence: leased.fence, reason };
  try {
    await bus.report(declined, signals.ending);
    await acknowledge(leased, events);
  } catch (cause) {
    leased.giveBack(0);
    events.jobGivenBack(job, "the worker is stopping", cause);
  }
}

/** What to tell the coordinator; undefined when another try may help. */
function declineReason(error: unknown, { cancelled }: JobSignals): string | undefined {
  if (cancelled.aborted) return "cancelled by the coordinator";
  if (error instanceof DeclinedError) return plainLine(error.message, 400);
  if (error instanceof ApiError && error.status < 500) return plainLine(`refused by the coordinator: ${error.message}`, 400);
  return undefined;
}

/** A job that is not acknowledged comes again, and then needs no second build. */
async function acknowledge(leased: LeasedJob, events: WorkerEvents): Promise<void> {
  try {
    await leased.ack();
  } catch (error) {
    events.transport(`acknowledging job ${leased.message.job} failed; it will be delivered again`, error);
  }
}

function abortAt(time: Date, reason: Error): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  // A timer cannot wait longer than 2³¹ − 1 ms, 24 days; no deadline is that far away.
  const timer = setTimeout(() => controller.abort(reason), Math.min(Math.max(time.getTime() - Date.now(), 0), 2 ** 31 - 1));
  if (time.getTime() <= Date.now()) controller.abort(reason);
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}
