import type { ExpectedArtifact } from "@quorate/protocol/target";
import type { VerdictOutcome } from "@quorate/protocol/verdict";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type Ruling, type Voucher, agreedManifest, verifyVouchers } from "./ruling.ts";
import type { SnapshotArtifact } from "./snapshot-artifact.ts";
import type { TrustPolicy } from "./trust-policy.ts";

/** What a verdict comes to for each artifact of its target, under the reader's own policy. */
export function ruledArtifacts(ruling: Ruling, policy: TrustPolicy): SnapshotArtifact[] {
  const { target } = ruling.evidence;
  return target.artifacts.map((artifact) => {
    const { outcome, vouchers } = outcomeFor(ruling, artifact, policy);
    const manifest = outcome === "reproduced" ? agreedManifest(ruling, artifact, policy) : undefined;
    return {
      package: artifact.package,
      version: artifact.version,
      architecture: artifact.architecture,
      sha256: artifact.sha256,
      outcome,
      verdictIndex: ruling.verdictIndex,
      ...(manifest === undefined ? {} : { manifest }),
      distribution: target.distribution,
      suite: target.suite,
      source: target.source,
      sourceVersion: target.version,
      file: artifact.file,
      vouchers: vouchers.filter(({ counted }) => counted).map(({ name, index }) => ({ name, index })),
    };
  });
}

function outcomeFor(
  ruling: Ruling,
  artifact: ExpectedArtifact,
  policy: TrustPolicy,
): { outcome: VerdictOutcome; vouchers: readonly Voucher[] } {
  try {
    return { outcome: "reproduced", vouchers: verifyVouchers(ruling, artifact, policy) };
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    const logged = ruling.verdict.artifacts.find(({ file }) => file === artifact.file)?.outcome ?? "inconclusive";
    return { outcome: logged === "reproduced" ? "inconclusive" : logged, vouchers: [] };
  }
}
