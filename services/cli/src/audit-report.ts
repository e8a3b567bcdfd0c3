import { escapePath } from "@quorate/attestation/path-text";
import type { Audit } from "@quorate/host/audit";
import { type AuditOutcome, countClasses, severityOf } from "@quorate/host/audit-outcome";
import type { Finding } from "@quorate/host/file-class";
import { formatHash } from "@quorate/tlog/hash";
import { escapeForLine } from "./escape-for-line.ts";
import type { HostSnapshot } from "./host-snapshot.ts";

export type AuditReport = {
  readonly subject: string;
  readonly audit: Audit;
  readonly outcome: AuditOutcome;
  readonly snapshot: Pick<HostSnapshot, "checkpoint" | "freshness" | "policySha256">;
  /** How many digests were not computed in this run, and when the oldest was. */
  readonly cache?: { readonly reused: number; readonly oldestAt: string };
};

/** What no audit of files can show: said in every report, so that nobody takes it for more than it is. */
export const unseen = [
  "the kernel, firmware and what runs now: an audit reads files through the kernel that it runs on",
  "file capabilities (security.capability), access lists and other extended attributes",
  "content outside of packages: byte code, caches, configuration in /etc that no package has, /home, /opt, /srv, /var",
  "conffiles: they are for the administrator to change",
  "whether a package is the newest: an older version that was rebuilt is verified too, whatever has become known against it",
];

const outcomeWords: Record<AuditOutcome, string> = {
  clean: "every file of every package is what the quorum rebuilt",
  drift: "nothing is tampered with as far as is known, but not everything is verified",
  incomplete: "not everything could be looked at: this says nothing about the rest",
  tampering: "TAMPERING: files are not what the quorum rebuilt",
};

/** For people: what is wrong first, then how much was looked at. */
export function auditLines({ subject, audit, outcome, snapshot, cache }: AuditReport): string[] {
  const { packages, findings } = audit;
  const loud = findings.filter((finding) => severityOf(finding) !== "expected");
  const unverified = packages.filter(({ artifact }) => artifact === undefined);
  const counts = [...countClasses(findings)].map(([name, count]) => `${count} ${name}`);
  const { checkpoint, freshness } = snapshot;
  return [
    ...loud.map(findingLine),
    ...unverified.map(
      ({ installed, reason }) => `unverified  ${installed.package} ${installed.version} (${installed.architecture}): ${reason}`,
    ),
    `${subject}: ${outcomeWords[outcome]}`,
    `  packages    ${packages.length - unverified.length} verified, ${unverified.length} unverified`,
    `  files       ${counts.join(", ") || "none"}`,
    `  known from  ${checkpoint.origin}, ${checkpoint.size} entries${freshness.kind === "fresh" ? "" : `: ${freshness.reason}`}`,
    ...(cache === undefined ? [] : [`  cache       ${cache.reused} files were not read again; the oldest digest is of ${cache.oldestAt}`]),
    ...unseen.map((what, at) => `${at === 0 ? "  not seen    " : "              "}${what}`),
  ];
}

export function auditJson({ subject, audit, outcome, snapshot, cache }: AuditReport) {
  const { packages, findings } = audit;
  const { checkpoint, freshness, policySha256 } = snapshot;
  return {
    subject,
    outcome,
    packages: packages.map(({ installed: { package: name, version, architecture }, artifact, reason }) => ({
      package: name,
      version,
      architecture,
      ...(artifact === undefined ? { reason } : { sha256: artifact.sha256, verdictIndex: artifact.verdictIndex }),
    })),
    counts: Object.fromEntries(countClasses(findings)),
    findings: findings.filter((finding) => severityOf(finding) !== "expected"),
    checkpoint: { origin: checkpoint.origin, size: checkpoint.size, root: formatHash(checkpoint.root) },
    freshness,
    policy: policySha256,
    ...(cache && { cache }),
    unseen,
  };
}

/** Whoever puts a file somewhere chooses its name: nothing of it reaches a terminal as it is. */
function findingLine({ class: found, path, package: owner, reason }: Finding): string {
  const details = [...(owner === undefined ? [] : [owner]), ...(reason === undefined ? [] : [escapeForLine(reason)])].join(": ");
  return `${found}  /${escapePath(path)}${details === "" ? "" : ` (${details})`}`;
}
