/** One earlier build, newest first in a list. */
export type PastBuild = { operator: string; source: string; seconds: number };

/**
 * How long a build by this operator should take: the median of its builds of the same source, else of anybody's builds of that source,
 * else of its builds of anything. `undefined` without any history.
 */
export function estimateSeconds(history: readonly PastBuild[], job: { operator: string; source: string }): number | undefined {
  const sameSource = history.filter((build) => build.source === job.source);
  const own = (build: PastBuild) => build.operator === job.operator;
  return median(sameSource.filter(own)) ?? median(sameSource) ?? median(history.filter(own)) ?? median(history);
}

function median(builds: readonly PastBuild[]): number | undefined {
  const sorted = builds
    .slice(0, 50)
    .map((build) => build.seconds)
    .sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
