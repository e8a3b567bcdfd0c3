import { formatDeployment } from "@quorate/attestation/deployment";
import { escapePath } from "@quorate/attestation/path-text";
import type { AuditedPackage } from "@quorate/host/audit";
import { countClasses, severityOf } from "@quorate/host/audit-outcome";
import { auditedStateOf } from "@quorate/host/audited-state";
import type { ReportPlace } from "@quorate/protocol/report-place";
import { sha256FromHash } from "@quorate/tlog/hash";
import { formatTime } from "@quorate/protocol/names";
import cliPackage from "../package.json" with { type: "json" };
import { type AuditReport, unseen } from "./audit-report.ts";
import { escapeForLine } from "./escape-for-line.ts";

const auditFormats = ["cyclonedx", "spdx", "deployment"] as const;
export type AuditFormat = (typeof auditFormats)[number];

const maxFindings = 1000;
const maxReasonCharacters = 2000;

/** An audit as other tools take it. */
export function auditDocument(format: AuditFormat, report: AuditReport, now: Date): unknown {
  const time = formatTime(now);
  switch (format) {
    case "cyclonedx":
      return cycloneDx(report, time);
    case "spdx":
      return spdx(report, time);
    case "deployment":
      return JSON.parse(deploymentStatement(report, time));
  }
}

/** CycloneDX 1.6, JSON: an installed package is a component; digests are those of the package files that were rebuilt. */
function cycloneDx({ subject, audit, outcome }: AuditReport, timestamp: string) {
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp,
      tools: { components: [{ type: "application", name: "quorate", version: cliPackage.version }] },
      component: {
        type: "operating-system",
        name: subject,
        "bom-ref": "subject",
        properties: [{ name: "quorate:outcome", value: outcome }],
      },
    },
    components: audit.packages.map((audited) => {
      const { installed, artifact, reason } = audited;
      const verdict = artifact === undefined ? `unverified: ${reason}` : `reproduced, log entry ${artifact.verdictIndex}`;
      return {
        type: "library",
        "bom-ref": purlOf(audited),
        name: installed.package,
        version: installed.version,
        purl: purlOf(audited),
        ...(artifact === undefined ? {} : { hashes: [{ alg: "SHA-256", content: artifact.sha256 }] }),
        properties: [{ name: "quorate:verdict", value: verdict }],
      };
    }),
  };
}

/** SPDX 2.3, JSON. */
function spdx({ subject, audit }: AuditReport, created: string) {
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: subject,
    documentNamespace: `https://quorate.dev/spdx/${auditedStateOf(audit)}`,
    creationInfo: { created, creators: [`Tool: quorate-${cliPackage.version}`] },
    packages: audit.packages.map((audited, at) => {
      const { installed, artifact, reason } = audited;
      return {
        SPDXID: `SPDXRef-Package-${at}`,
        name: installed.package,
        versionInfo: installed.version,
        downloadLocation: "NOASSERTION",
        filesAnalyzed: false,
        ...(artifact === undefined ? {} : { checksums: [{ algorithm: "SHA256", checksumValue: artifact.sha256 }] }),
        externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purlOf(audited) }],
        comment: artifact === undefined ? `unverified: ${reason}` : `reproduced, log entry ${artifact.verdictIndex}`,
      };
    }),
    relationships: audit.packages.map((_, at) => ({
      spdxElementId: "SPDXRef-DOCUMENT",
      relationshipType: "DESCRIBES",
      relatedSpdxElement: `SPDXRef-Package-${at}`,
    })),
  };
}

/** The purl type `deb`: the architecture is a qualifier. */
function purlOf({ installed: { package: name, version, architecture }, artifact }: AuditedPackage): string {
  const distribution = artifact?.distribution ?? "debian";
  return `pkg:deb/${distribution}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${encodeURIComponent(architecture)}`;
}

/** An in-toto statement, docs/predicates/deployment.md. */
export function deploymentStatement({ subject, audit, outcome, snapshot }: AuditReport, auditedAt: string, report?: ReportPlace): string {
  const { packages, findings } = audit;
  const { checkpoint, policySha256 } = snapshot;
  const named = ({ installed: { package: name, version, architecture } }: AuditedPackage) => ({ package: name, version, architecture });
  return formatDeployment(escapePath(subject), auditedStateOf(audit), {
    outcome,
    auditedAt,
    verified: packages.flatMap((audited) =>
      audited.artifact === undefined
        ? []
        : [{ ...named(audited), sha256: audited.artifact.sha256, verdictIndex: audited.artifact.verdictIndex }],
    ),
    unverified: packages.flatMap((audited) =>
      audited.artifact === undefined ? [{ ...named(audited), reason: audited.reason ?? "unknown" }] : [],
    ),
    counts: Object.fromEntries(countClasses(findings)),
    findings: findings
      .filter((finding) => severityOf(finding) !== "expected")
      .slice(0, maxFindings)
      .map(({ class: found, path, reason }) => ({
        class: found,
        path: escapePath(path),
        ...(reason === undefined ? {} : { reason: escapeForLine(reason).slice(0, maxReasonCharacters) }),
      })),
    unseen,
    checkpoint: { origin: checkpoint.origin, size: checkpoint.size, rootSha256: sha256FromHash(checkpoint.root) },
    policy: policySha256,
    evidence: "software-only",
    ...(report && { report }),
  });
}
