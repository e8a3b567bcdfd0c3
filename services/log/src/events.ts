import type { Logger } from "@quorate/service/logger";
import type { Metrics } from "@quorate/service/metrics";
import type { NotStagedError } from "./not-staged-error.ts";

export type LogEvents = ReturnType<typeof createLogEvents>;

export function createLogEvents(logger: Logger, metrics: Metrics) {
  const entries = metrics.counter({ name: "log_entries_total", help: "Entries asked to be appended, by what came of it." });
  const size = metrics.gauge({ name: "log_size", help: "Entries in the tree, by how far it is: signed or published." });
  const batchSeconds = metrics.histogram({ name: "log_batch_seconds", help: "Time from taking a batch to its acknowledgement." });
  const publishSeconds = metrics.histogram({ name: "log_publish_seconds", help: "Time to collect cosignatures and publish a checkpoint." });
  const witnessFailures = metrics.counter({ name: "log_witness_failures_total", help: "Requests that a witness did not cosign." });
  const roundsBelowQuorum = metrics.counter({ name: "log_rounds_below_quorum_total", help: "Rounds of witnesses without the quorum." });
  const lockStoreChecks = metrics.counter({
    name: "log_lock_store_checks_total",
    help: "Checks of the whole lock store, by what came of it.",
  });
  return {
    created(origin: string) {
      logger.info({ origin }, "created a new log");
    },
    started(started: { url: string; origin: string; size: number; published: number | undefined; stagedRecords: number }) {
      size.set(started.size, { state: "signed" });
      logger.info(started, "log started");
    },
    sequenced(batch: { entries: number; size: number; seconds: number }) {
      entries.add(batch.entries, { outcome: "sequenced" });
      size.set(batch.size, { state: "signed" });
      batchSeconds.observe(batch.seconds);
      logger.debug(batch, "sequenced a batch");
    },
    duplicate(key: string, index: number) {
      entries.add(1, { outcome: "duplicate" });
      logger.debug({ key, index }, "an entry was there already");
    },
    refused(reason: string) {
      entries.add(1, { outcome: reason });
    },
    standsBy() {
      logger.info("another process has the log's lease: standing by");
    },
    notStaged(count: number, error: NotStagedError) {
      entries.add(count, { outcome: error.reason });
      logger.error({ entries: count, err: error }, "a batch was refused");
    },
    published(published: { size: number; seconds: number }) {
      size.set(published.size, { state: "published" });
      publishSeconds.observe(published.seconds);
      logger.debug(published, "published a checkpoint");
    },
    lockStoreChecked() {
      lockStoreChecks.add(1, { outcome: "whole" });
    },
    lockStoreDamaged(problem: string) {
      lockStoreChecks.add(1, { outcome: "damaged" });
      logger.error({ problem }, "the lock store is damaged: nothing more is appended");
    },
    witnessWithoutUrl(witness: string) {
      logger.warn({ witness }, "the witness policy has no URL for a witness: it is not asked");
    },
    witnessFailed(witness: string, reason: string) {
      witnessFailures.add(1, { witness });
      logger.warn({ witness, reason }, "a witness did not cosign");
    },
    belowQuorum(round: { size: number; quorum: string; cosigned: readonly string[] }) {
      roundsBelowQuorum.add();
      logger.warn(round, "below the witness quorum: nothing new is published");
    },
  };
}
