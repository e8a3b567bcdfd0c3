import type { RuntimePredicate } from "@quorate/protocol/runtime";
import type { EnrolledHost } from "./enrolled-hosts.ts";
import type { NewestReport } from "./fleet-store.ts";

/** What is to be thought of a host now, loudest first. Silence is a failure: whoever takes a host over silences it first. */
export const hostStates = ["tampering", "silent", "never-reported", "incomplete", "drift", "clean"] as const;
export type HostState = (typeof hostStates)[number];

export type HostStanding = {
  readonly id: string;
  readonly name: string;
  readonly state: HostState;
  readonly receivedAt?: string;
  readonly report?: RuntimePredicate;
};

export function decideStanding(
  { id, name }: EnrolledHost,
  newest: NewestReport | undefined,
  { now, silenceSeconds }: { now: number; silenceSeconds: number },
): HostStanding {
  if (newest === undefined) return { id, name, state: "never-reported" };
  const { receivedAt, statement } = newest;
  const isSilent = now - receivedAt > silenceSeconds * 1000;
  const report = statement.runtime;
  return { id, name, state: isSilent ? "silent" : report.outcome, receivedAt: new Date(receivedAt).toISOString(), report };
}
