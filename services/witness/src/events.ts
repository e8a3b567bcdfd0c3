import type { Logger } from "@quorate/service/logger";
import type { Metrics } from "@quorate/service/metrics";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { formatHash } from "@quorate/tlog/hash";

export type WitnessEvents = ReturnType<typeof createWitnessEvents>;

export function createWitnessEvents(logger: Logger, metrics: Metrics) {
  const requests = metrics.counter({ name: "witness_add_checkpoint_total", help: "add-checkpoint requests by what was decided." });
  const sizes = metrics.gauge({ name: "witness_log_size", help: "Size of the newest cosigned checkpoint, by origin." });
  return {
    started(url: string, name: string, origins: readonly string[]) {
      logger.info({ url, witness: name, origins }, "witnessing");
    },
    cosigned({ origin, size }: Checkpoint) {
      requests.add(1, { decision: "cosign" });
      sizes.set(size, { origin });
      logger.debug({ origin, size }, "cosigned a checkpoint");
    },
    refused(decision: string, reason: string) {
      requests.add(1, { decision });
      logger.info({ decision, reason }, "did not cosign a checkpoint");
    },
    /** A log signed a checkpoint that does not follow from one it signed before: a bug, or the start of a fork. */
    inconsistent({ origin, size, root }: Checkpoint, reason: string, note: string) {
      requests.add(1, { decision: "inconsistent" });
      logger.error({ origin, size, root: formatHash(root), note, reason }, "a log signed an inconsistent checkpoint");
    },
  };
}
