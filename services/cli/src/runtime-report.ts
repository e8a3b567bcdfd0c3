import { escapePath } from "@quorate/attestation/path-text";
import type { AuditOutcome } from "@quorate/host/audit-outcome";
import { type RuntimeClass, type RuntimeFinding, runtimeClasses, unseenAtRuntime } from "@quorate/host/runtime/runtime-class";
import type { Sweep } from "@quorate/host/runtime/sweep";
import { formatHash } from "@quorate/tlog/hash";
import { escapeForLine } from "./escape-for-line.ts";
import type { HostSnapshot } from "./host-snapshot.ts";
import { type HostEvidence, evidenceLines } from "./watch/host-evidence.ts";

export type RuntimeReport = {
  readonly subject: string;
  readonly sweep: Sweep;
  readonly outcome: AuditOutcome;
  readonly snapshot: Pick<HostSnapshot, "checkpoint" | "freshness" | "policySha256">;
};

const outcomeWords: Record<AuditOutcome, string> = {
  clean: "every process runs what the quorum rebuilt",
  drift: "no process is tampered with as far as is known, but not everything that runs is verified",
  incomplete: "not every process could be looked at: this says nothing about the rest",
  tampering: "TAMPERING: processes run what the quorum has not rebuilt",
};

const shownPids = 8;

/** For people: what is wrong first, then how much was looked at. */
export function runtimeLines({ subject, sweep, outcome, snapshot }: RuntimeReport, evidence: HostEvidence): string[] {
  const { checkpoint, freshness } = snapshot;
  const counts = [...countRuntimeClasses(sweep.findings)].map(([found, count]) => `${count} ${found}`);
  return [
    ...loudFindings(sweep).map(runtimeFindingLine),
    `${subject}: ${outcomeWords[outcome]}`,
    `  processes   ${sweep.processes}`,
    `  code        ${counts.join(", ") || "none"}`,
    `  known from  ${checkpoint.origin}, ${checkpoint.size} entries${freshness.kind === "fresh" ? "" : `: ${freshness.reason}`}`,
    ...listed("evidence", evidenceLines(evidence)),
    ...listed("not seen", unseenAtRuntime),
  ];
}

function listed(label: string, lines: readonly string[]): string[] {
  return lines.map((line, at) => `  ${(at === 0 ? label : "").padEnd(12)}${line}`);
}

export function runtimeJson({ subject, sweep, outcome, snapshot }: RuntimeReport, evidence: HostEvidence) {
  const { checkpoint, freshness, policySha256 } = snapshot;
  return {
    subject,
    outcome,
    processes: sweep.processes,
    counts: Object.fromEntries(countRuntimeClasses(sweep.findings)),
    findings: loudFindings(sweep),
    checkpoint: { origin: checkpoint.origin, size: checkpoint.size, root: formatHash(checkpoint.root) },
    freshness,
    policy: policySha256,
    evidence,
    unseen: unseenAtRuntime,
  };
}

/** A process chooses what it is called: nothing of it reaches a terminal as it is. */
export function runtimeFindingLine({ class: found, path, pids, package: owner, reason }: RuntimeFinding): string {
  const details = [owner, reason].flatMap((detail) => (detail === undefined ? [] : escapeForLine(detail))).join(": ");
  const more = pids.length > shownPids ? ` and ${pids.length - shownPids} more` : "";
  return `${found}  ${escapePath(path)}  pid ${pids.slice(0, shownPids).join(", ")}${more}${details === "" ? "" : ` (${details})`}`;
}

export function loudFindings({ findings }: Sweep): RuntimeFinding[] {
  return findings.filter(({ class: found }) => runtimeClasses[found] !== "expected");
}

/** How many distinct files and kinds of memory there are of each class. */
export function countRuntimeClasses(findings: readonly RuntimeFinding[]): ReadonlyMap<RuntimeClass, number> {
  const counts = new Map<RuntimeClass, number>();
  for (const { class: found } of findings) counts.set(found, (counts.get(found) ?? 0) + 1);
  return counts;
}
