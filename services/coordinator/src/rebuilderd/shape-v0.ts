import type { z } from "zod";
import type { QueuedBuild } from "../store/builds.ts";
import type { RebuiltPackage, countStatuses } from "../store/rebuilds.ts";
import { formatNaiveTime } from "./naive-time.ts";
import { type ArchiveUrlOf, artifactStatusOf, sourceUrlOf } from "./shape-v1.ts";
import type { dashboardV0Schema, PackageRelease, QueueItem } from "./v0-records.ts";

/** Version 0 asks for logs and attestations by build alone, so that its builds are our artifacts. */
export function packageReleaseOf(rebuilt: RebuiltPackage, archiveUrlOf: ArchiveUrlOf): PackageRelease {
  const { id, name, version, distribution, component, architecture, path, result } = rebuilt;
  return {
    name,
    version,
    status: artifactStatusOf(rebuilt.status),
    distro: distribution,
    suite: component,
    architecture,
    artifact_url: `${archiveUrlOf(distribution)}/${path}`,
    build_id: result === undefined ? null : id,
    built_at: result?.builtAt === undefined ? null : formatNaiveTime(result.builtAt),
    has_diffoscope: false,
    has_attestation: result?.linked ?? false,
  };
}

export function queueItemOf({ id, target, queuedAt, startedAt }: QueuedBuild, archiveUrlOf: ArchiveUrlOf): QueueItem {
  const { source: name, version, distribution, component, architecture } = target;
  const started = startedAt === undefined ? null : formatNaiveTime(startedAt);
  const input_url = sourceUrlOf(target, archiveUrlOf);
  return {
    id,
    pkgbase: { name, version, distro: distribution, suite: component, architecture, input_url, artifacts: [] },
    version,
    queued_at: formatNaiveTime(queuedAt),
    worker_id: null,
    started_at: started,
    last_ping: started,
  };
}

export function dashboardV0Of(
  counts: Awaited<ReturnType<typeof countStatuses>>,
  queue: readonly QueueItem[],
  now: Date,
): z.infer<typeof dashboardV0Schema> {
  const suites = [...counts].map(([component, { good, bad, failed, unknown }]) => [component, { good, unknown: unknown + failed, bad }]);
  return {
    suites: Object.fromEntries(suites),
    active_builds: queue.filter(({ started_at }) => started_at !== null),
    queue_length: queue.length,
    now: formatNaiveTime(now),
  };
}
