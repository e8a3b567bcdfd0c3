import type { SnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import type { GateException, GateMode } from "./gate-settings.ts";

/** A package that is about to be installed; without a digest, before its file is here. */
export type GatedPackage = Pick<SnapshotArtifact, "package" | "version" | "architecture"> & Partial<Pick<SnapshotArtifact, "sha256">>;

export type Gated = {
  readonly gated: GatedPackage;
  readonly kind:
    | "verified"
    /** Nobody has reproduced this version, but an exception allows it. */
    | "excepted"
    | "unverified"
    /** This version has been reproduced, and these are other bytes: the loudest. */
    | "other-bytes";
  readonly reason: string;
};

/**
 * What is known of a package file: only the very bytes that were rebuilt are verified, whatever they call themselves. Of a package whose file is not
 * here yet it is what will be found if it has those bytes.
 */
export function decideGated(
  gated: GatedPackage,
  known: readonly SnapshotArtifact[],
  { exceptions, now }: { exceptions: readonly GateException[]; now: Date },
): Gated {
  const reproduced = known.filter(({ outcome }) => outcome === "reproduced");
  const own = reproduced.find(({ sha256 }) => gated.sha256 === undefined || sha256 === gated.sha256);
  if (own !== undefined) return { gated, kind: "verified", reason: `log entry ${own.verdictIndex}, ${own.vouchers.length} operators` };
  const [other] = reproduced;
  // An exception is for what nobody has rebuilt yet; bytes that differ from what was rebuilt are never let through by one.
  if (other !== undefined)
    return { gated, kind: "other-bytes", reason: `it has digest ${gated.sha256}, and what was rebuilt ${other.sha256}` };
  const reason = known.length === 0 ? "no verdict on this version" : `the verdict is ${known.map(({ outcome }) => outcome).join(", ")}`;
  const exception = exceptions.find(({ package: name, version }) => name === gated.package && version === gated.version);
  if (exception === undefined) return { gated, kind: "unverified", reason };
  if (now.toISOString() >= exception.expiresAt)
    return { gated, kind: "unverified", reason: `${reason}; its exception expired at ${exception.expiresAt}` };
  return { gated, kind: "excepted", reason: `${exception.reason}, until ${exception.expiresAt}` };
}

/** Whether apt may go on. What is out of date may hide what has been found out since, so it stops a gate that enforces. */
export function decideGate(mode: GateMode, results: readonly Gated[], isCurrent: boolean): "go-on" | "stop" {
  if (mode !== "enforce") return "go-on";
  return isCurrent && results.every(({ kind }) => kind === "verified" || kind === "excepted") ? "go-on" : "stop";
}
