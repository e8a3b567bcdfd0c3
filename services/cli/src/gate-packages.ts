import { FileHasher } from "@quorate/host/file-hasher";
import { type Gated, type GatedPackage, decideGated } from "@quorate/host/gate";
import type { GateSettings } from "@quorate/host/gate-settings";
import type { Sha256 } from "@quorate/protocol/digest";
import type { HostSnapshot } from "./host-snapshot.ts";

type Gating = { readonly snapshot: HostSnapshot; readonly exceptions: GateSettings["exceptions"] };

export type PackageFile = Omit<GatedPackage, "sha256"> & { readonly path: string };

/** Packages with the digests of their files. @throws Error for a file that cannot be read */
export async function hashPackageFiles(
  files: readonly PackageFile[],
  signal: AbortSignal,
): Promise<(GatedPackage & { readonly sha256: Sha256 })[]> {
  await using hasher = new FileHasher();
  const digests = await hasher.hash(
    files.map(({ path }) => path),
    { signal },
  );
  return files.map(({ path, ...named }, at) => {
    const digest = digests[at];
    if (digest?.kind === "hashed") return { ...named, sha256: digest.sha256 };
    throw new Error(`reading ${path}: ${digest?.kind === "unreadable" ? digest.reason : "it changed meanwhile"}`);
  });
}

/** What the snapshot says of each package. */
export function gatePackages(packages: readonly GatedPackage[], { snapshot: { artifacts }, exceptions }: Gating): Gated[] {
  const now = new Date();
  return packages.map((gated) => {
    const own = gated.sha256 === undefined ? [] : artifacts.findByDigest(gated.sha256);
    return decideGated(gated, [...own, ...artifacts.find(gated)], { exceptions, now });
  });
}

export function gatedLine({ gated, kind, reason }: Gated): string {
  return `${kind}  ${gated.package} ${gated.version} (${gated.architecture}): ${reason}`;
}
