import type { Audit } from "./audit.ts";
import { type Finding, type FileClass, type Severity, fileClasses } from "./file-class.ts";

/** What an audit comes to; the loudest first. */
export type AuditOutcome =
  | "tampering"
  /** Not everything could be looked at, or what is known is out of date: nothing may be called clean. */
  | "incomplete"
  /** Something is not verified, missing or changed, in a way that an administrator may have meant. */
  | "drift"
  | "clean";

export function severityOf({ class: found }: Finding): Severity {
  return fileClasses[found];
}

/** @param isCurrent whether what is known of packages is recent enough */
export function decideOutcome({ packages, findings }: Audit, isCurrent: boolean): AuditOutcome {
  const found = new Set(findings.map(severityOf));
  if (found.has("tampering")) return "tampering";
  if (found.has("unseen") || !isCurrent) return "incomplete";
  const isVerified = packages.every(({ artifact }) => artifact !== undefined);
  return found.has("drift") || !isVerified ? "drift" : "clean";
}

/** How many files there are of each class, in the order of the classes. */
export function countClasses(findings: readonly Finding[]): ReadonlyMap<FileClass, number> {
  const counts = new Map<FileClass, number>();
  for (const { class: found } of findings) counts.set(found, (counts.get(found) ?? 0) + 1);
  return counts;
}
