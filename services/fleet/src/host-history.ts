import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { RuntimePredicate } from "@quorate/protocol/runtime";
import { utf8 } from "@quorate/protocol/utf8";

/** Reports of a host that came one after the other, never late, and said the same; times in milliseconds since 1970. */
export type Period = {
  readonly since: number;
  readonly until: number;
  readonly reports: number;
  /** Its first report. */
  readonly report: RuntimePredicate;
};

/** What was to be thought of a host, and for how long. Without `until` it is so now. */
export type HistoryPart = { readonly since: string; readonly until?: string } & (
  | { readonly state: "silent" }
  | { readonly state: RuntimePredicate["outcome"]; readonly reports: number; readonly report: RuntimePredicate }
);

/**
 * What a report says of its host, for comparison: its outcome, what is not as expected, and the policy that says so. Programs that come and go and
 * are verified make no difference, nor does how many processes run one.
 */
export function saidIn({ outcome, policy, findings }: RuntimePredicate): Sha256 {
  const found = findings.map(({ class: kind, path, package: owner, reason }) => formatCanonicalJson({ kind, path, owner, reason }));
  return sha256Of(utf8(formatCanonicalJson({ outcome, policy, found: [...new Set(found)].sort() })));
}

/** A host's history, newest first: its periods, and the silences after them. */
export function historyOf(
  periods: readonly Period[],
  { now, silenceSeconds }: { now: number; silenceSeconds: number },
): readonly HistoryPart[] {
  return periods.flatMap(({ since, until, reports, report }, at) => {
    const next = periods[at - 1]?.since;
    const isSilent = (next ?? now) - until > silenceSeconds * 1000;
    const end = next === undefined ? {} : { until: timeOf(next) };
    const said = { state: report.outcome, since: timeOf(since), ...(isSilent ? { until: timeOf(until) } : end), reports, report };
    return isSilent ? [{ state: "silent" as const, since: timeOf(until), ...end }, said] : [said];
  });
}

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();
