import type { Logger } from "@quorate/service/logger";
import type { Metrics } from "@quorate/service/metrics";
import type { DropReason } from "./bounded-writes.ts";
import type { RefuseReason } from "./stream-places.ts";

export type SiteEvents = ReturnType<typeof createSiteEvents>;

export function createSiteEvents(logger: Logger, metrics: Metrics) {
  const size = metrics.gauge({ name: "site_log_size", help: "Entries of the log that the site has read." });
  const failures = metrics.counter({ name: "site_follow_failures_total", help: "Times that the log could not be followed." });
  const dropped = metrics.counter({
    name: "site_stream_readers_dropped_total",
    help: "Readers of live events that read too slowly, by what ended them.",
  });
  const refused = metrics.counter({
    name: "site_stream_readers_refused_total",
    help: "Readers of live events for whom there was no room.",
  });
  let said: string | undefined;
  return {
    started(url: string, read: number) {
      logger.info({ url, size: read }, "serving pages");
    },
    followed(read: number) {
      if (said !== undefined) logger.info({ size: read }, "the log can be followed again");
      said = undefined;
      size.set(read);
    },
    /** Said once until it changes: the log is asked every second. */
    followFailed(error: unknown) {
      failures.add();
      const message = error instanceof Error ? error.message : String(error);
      if (message !== said) logger.warn({ err: error }, "the log cannot be followed; pages show what was read before");
      said = message;
    },
    unreadable(index: number, error: Error) {
      logger.warn({ index, err: error }, "an entry of the log cannot be read, and is on no page");
    },
    readerDropped(reason: DropReason) {
      dropped.add(1, { reason });
      logger.info({ reason }, "a reader of live events read too slowly and was dropped");
    },
    readerRefused(reason: RefuseReason) {
      refused.add(1, { reason });
      logger.debug({ reason }, "there was no room for one more reader of live events");
    },
    descriptionFailed(error: unknown) {
      logger.warn({ err: error }, "the coordinator's description of its API cannot be shown; the page says so");
    },
    liveFailed(error: unknown) {
      logger.debug({ err: error }, "the coordinator did not say what is being rebuilt; the page says so");
    },
  };
}
