import { unreachable } from "@quorate/protocol/unreachable";
import { type ArtifactStatus, statementsOfResult } from "../artifact-statements.ts";
import type { QueuedBuild, StoredBuild } from "../store/builds.ts";
import type { RebuiltPackage, RebuiltSource } from "../store/rebuilds.ts";
import { formatNaiveTime } from "./naive-time.ts";
import type { Artifact, BinaryPackage, Build, Dashboard, QueuedJob, SourcePackage } from "./v1-records.ts";

/** Where a distribution's files are published, without a slash at the end. */
export type ArchiveUrlOf = (distribution: string) => string;

export function binaryPackageOf(rebuilt: RebuiltPackage, archiveUrlOf: ArchiveUrlOf): BinaryPackage {
  const { id, name, version, distribution, suite, component, architecture, result } = rebuilt;
  const linked = result?.linked === true ? id : null;
  return {
    id,
    name,
    version,
    distribution,
    release: suite,
    component,
    architecture,
    url: `${archiveUrlOf(distribution)}/${rebuilt.path}`,
    status: artifactStatusOf(rebuilt.status),
    build_id: result?.index ?? null,
    artifact_id: linked,
    diffoscope_log_id: null,
    attestation_log_id: linked,
    last_seen: formatNaiveTime(rebuilt.seenAt),
    seen_in_last_sync: true,
  };
}

export function sourcePackageOf({
  id,
  name,
  version,
  distribution,
  suite,
  component,
  seenAt,
  counts,
  result,
}: RebuiltSource): SourcePackage {
  return {
    id,
    name,
    version,
    distribution,
    release: suite,
    component,
    status: buildStatusOf(counts),
    build_id: result ?? null,
    last_seen: formatNaiveTime(seenAt),
    seen_in_last_sync: true,
  };
}

export function buildOf(build: StoredBuild): Build {
  const { id, result } = build;
  const { source: name, version, distribution, suite, architecture } = result;
  return {
    id,
    name,
    version,
    distribution,
    release: suite,
    architecture,
    backend: distribution,
    retries: 0,
    started_at: formatNaiveTime(new Date(result.startedAt)),
    built_at: formatNaiveTime(new Date(result.finishedAt)),
    status: buildStatusOf(countsOf(build)),
  };
}

/** The artifacts of a build, each with its number and whether there is a link for it. */
export function artifactsOf(
  { result, id, target }: StoredBuild,
  { ids, linked }: { ids: ReadonlyMap<string, number>; linked: ReadonlySet<string> },
): Artifact[] {
  return statementsOfResult({ result, index: id }, target, linked).flatMap(({ file, status, linked }) => {
    const artifact = ids.get(file);
    if (artifact === undefined) return [];
    return [{ id: artifact, name: file, has_diffoscope: false, has_attestation: linked, status: artifactStatusOf(status) }];
  });
}

export function queuedJobOf({ id, target, queuedAt, startedAt }: QueuedBuild, archiveUrlOf: ArchiveUrlOf): QueuedJob {
  const { source: name, version, distribution, suite, architecture } = target;
  return {
    id,
    name,
    version,
    distribution,
    release: suite,
    architecture,
    backend: distribution,
    url: sourceUrlOf(target, archiveUrlOf),
    next_retry: formatNaiveTime(queuedAt),
    priority: 0,
    queued_at: formatNaiveTime(queuedAt),
    started_at: startedAt === undefined ? null : formatNaiveTime(startedAt),
  };
}

export function dashboardOf(counts: Iterable<Record<ArtifactStatus, number>>, queue: readonly QueuedBuild[]): Dashboard {
  const rebuilds = { good: 0, bad: 0, fail: 0, unknown: 0 };
  for (const { good, bad, failed, unknown } of counts) {
    rebuilds.good += good;
    rebuilds.bad += bad;
    rebuilds.fail += failed;
    rebuilds.unknown += unknown;
  }
  const running = queue.filter(({ startedAt }) => startedAt !== undefined).length;
  return { rebuilds, jobs: { running, available: queue.length - running, pending: 0 } };
}

/** Address of the source's description (`.dsc`), or of its first file. */
export function sourceUrlOf({ distribution, directory, files }: QueuedBuild["target"], archiveUrlOf: ArchiveUrlOf): string {
  const description = files.find(({ name }) => name.endsWith(".dsc")) ?? files[0];
  return `${archiveUrlOf(distribution)}/${directory}/${description?.name ?? ""}`;
}

/** A failed build is no evidence against a package. */
export function artifactStatusOf(status: ArtifactStatus): BinaryPackage["status"] {
  switch (status) {
    case "good":
      return "GOOD";
    case "bad":
      return "BAD";
    case "failed":
    case "unknown":
      return "UNKWN";
    default:
      return unreachable(status);
  }
}

function countsOf({ result, id, target }: StoredBuild): Record<ArtifactStatus, number> {
  const counts = { good: 0, bad: 0, failed: 0, unknown: 0 };
  for (const { status } of statementsOfResult({ result, index: id }, target, new Set())) counts[status] += 1;
  return counts;
}

function buildStatusOf({ good, bad, failed, unknown }: Record<ArtifactStatus, number>): Build["status"] {
  if (bad > 0) return "BAD";
  if (failed > 0) return "FAIL";
  return unknown > 0 || good === 0 ? "UNKWN" : "GOOD";
}
