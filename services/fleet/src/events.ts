import type { HostId } from "@quorate/protocol/host";
import type { RuntimePredicate } from "@quorate/protocol/runtime";
import type { Logger } from "@quorate/service/logger";
import type { Metrics } from "@quorate/service/metrics";
import { type HostStanding, hostStates } from "./host-standing.ts";

export type FleetEvents = ReturnType<typeof createFleetEvents>;

export function createFleetEvents(logger: Logger, metrics: Metrics) {
  const reports = metrics.counter({ name: "fleet_reports_total", help: "Reports by what was decided." });
  const hosts = metrics.gauge({ name: "fleet_hosts", help: "Enrolled hosts by what is to be thought of them now." });
  return {
    started(url: string) {
      logger.info({ url }, "taking reports");
    },
    accepted(host: HostId, { sequence, outcome }: RuntimePredicate) {
      reports.add(1, { decision: "accept" });
      logger.info({ host, sequence, outcome }, "accepted a report");
    },
    /** The newest report, sent again. */
    known() {
      reports.add(1, { decision: "known" });
    },
    refused(host: HostId, { kind, reason }: { kind: "malformed" | "wrong-signature" | "replayed"; reason: string }) {
      reports.add(1, { decision: kind });
      logger.warn({ host, reason }, `refused a report: ${kind}`);
    },
    asked(standings: readonly HostStanding[]) {
      for (const state of hostStates) hosts.set(standings.filter((standing) => standing.state === state).length, { state });
    },
  };
}
