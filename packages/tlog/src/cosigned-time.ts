import { type WitnessPolicy, type Witnessed, isQuorum } from "./tlog-policy.ts";

/**
 * The latest time, in seconds since 1970, from which on a quorum of the policy's witnesses has seen a checkpoint: no minority of them can
 * make an old one look fresh. `undefined` where the policy asks for no witness, or these are too few.
 */
export function cosignedTime(policy: WitnessPolicy, witnesses: readonly Witnessed[]): number | undefined {
  if (policy.quorum === "none") return undefined;
  const times = witnesses.map(({ time }) => time).sort((a, b) => b - a);
  return times.find((oldest) =>
    isQuorum(
      policy,
      witnesses.filter(({ time }) => time >= oldest).map(({ name }) => name),
    ),
  );
}

export type Freshness = { readonly kind: "fresh" } | { readonly kind: "stale" | "ahead"; readonly reason: string };

/** What clocks of hosts and witnesses may differ. */
const skewSeconds = 300;

/**
 * Whether a checkpoint was cosigned by a quorum within the last `freshnessSeconds` before `now`. One that is `ahead` was cosigned in the
 * future: a clock is wrong, and then nothing can be said of its age.
 */
export function decideFreshness(claim: {
  policy: WitnessPolicy;
  witnesses: readonly Witnessed[];
  now: Date;
  freshnessSeconds: number;
}): Freshness {
  const time = cosignedTime(claim.policy, claim.witnesses);
  if (time === undefined) return { kind: "fresh" };
  const ageSeconds = Math.floor(claim.now.getTime() / 1000) - time;
  const when = new Date(time * 1000).toISOString();
  if (ageSeconds < -skewSeconds)
    return { kind: "ahead", reason: `its witnesses cosigned it at ${when}, which is in the future: set the clock` };
  if (ageSeconds <= claim.freshnessSeconds) return { kind: "fresh" };
  const limit = `${claim.freshnessSeconds} s`;
  return {
    kind: "stale",
    reason: `its quorum of witnesses last cosigned it at ${when}, ${ageSeconds} s ago; at most ${limit} are allowed`,
  };
}
