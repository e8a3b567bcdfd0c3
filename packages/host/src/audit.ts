import type { ManifestMember } from "@quorate/attestation/manifest";
import type { InstalledPackage } from "@quorate/debian/dpkg-status";
import type { Sha256 } from "@quorate/protocol/digest";
import type { SnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import { type DpkgDatabase, infoDirectory, loadDpkgDatabase, loadInstalledPaths } from "./dpkg-database.ts";
import { type Finding, fileClasses } from "./file-class.ts";
import type { FileDigest, HostTree } from "./host-tree.ts";
import { Locator } from "./locator.ts";
import { type PlacedMember, type Placing, judgePackage, needsHash, placeMembers } from "./package-files.ts";
import { GatedFiles, gatedFilesPath } from "./gated-files.ts";
import { HashingAhead } from "./hashing-ahead.ts";
import { findUnowned } from "./unowned-files.ts";

/** What a host knows of packages: its snapshot. */
export type KnownPackages = {
  find(installed: InstalledPackage): readonly SnapshotArtifact[];
  /** `undefined` when it could not be had. */
  loadManifest(artifact: SnapshotArtifact): Promise<readonly ManifestMember[] | undefined>;
};

export type AuditedPackage = {
  readonly installed: InstalledPackage;
  /** The artifact whose manifest its files were compared with. */
  readonly artifact?: SnapshotArtifact;
  /** Why there is none. */
  readonly reason?: string;
};

export type Audit = {
  readonly packages: readonly AuditedPackage[];
  /** Everything that was looked at; files of packages without a manifest are not. */
  readonly findings: readonly Finding[];
};

export type AuditOptions = {
  readonly tree: HostTree;
  readonly known: KnownPackages;
  readonly onFile?: (done: number, all: number) => void;
  readonly signal: AbortSignal;
};

type Candidate = { readonly artifact: SnapshotArtifact; readonly members: readonly PlacedMember[] };
type Placed = { readonly installed: InstalledPackage; readonly candidates: readonly Candidate[]; readonly reason?: string };

/** Compares every file of every package in a tree with the quorum's manifests, and looks for files of no package. */
export async function auditTree({ tree, known, onFile = () => {}, signal }: AuditOptions): Promise<Audit> {
  const database = loadDpkgDatabase(tree);
  const placing: Placing = { tree, locator: new Locator(tree), database };
  const gated = GatedFiles.parse(new TextDecoder().decode(tree.read(gatedFilesPath)));
  const placed: Placed[] = [];
  const hashing = new HashingAhead(tree, { onFile, signal });
  for (const installed of database.packages) {
    const one = await placePackage(installed, { known, gatedSha256: gated.find(installed) }, placing);
    placed.push(one);
    await hashing.add(one.candidates.flatMap(({ members }) => members.filter(needsHash).map(({ path }) => path)));
  }
  const digests = await hashing.finish();
  const judged = placed.map((one) => judgePlaced(one, { ...placing, digests }));
  const owned = ownedPaths(judged, placing);
  return {
    packages: judged.map(({ audited }) => audited),
    findings: [
      ...mergeShared(judged.flatMap(({ findings }) => findings)),
      ...unexpectedRecords(judged, database),
      ...findUnowned({ tree, locator: placing.locator, owned }),
    ],
  };
}

async function placePackage(
  installed: InstalledPackage,
  { known, gatedSha256 }: { known: KnownPackages; gatedSha256: Sha256 | undefined },
  placing: Placing,
): Promise<Placed> {
  const named = known.find(installed);
  const artifacts = named.filter(({ sha256 }) => gatedSha256 === undefined || sha256 === gatedSha256);
  if (named.length > 0 && artifacts.length === 0)
    return { installed, candidates: [], reason: `the gate let other bytes through than are known: ${gatedSha256}` };
  const candidates: Candidate[] = [];
  for (const artifact of artifacts.filter(({ outcome }) => outcome === "reproduced")) {
    const manifest = await known.loadManifest(artifact);
    if (manifest !== undefined) candidates.push({ artifact, members: placeMembers(installed, manifest, placing) });
  }
  return { installed, candidates, ...(candidates.length === 0 ? { reason: reasonOf(artifacts) } : {}) };
}

function reasonOf(artifacts: readonly SnapshotArtifact[]): string {
  if (artifacts.length === 0) return "no verdict on this version";
  const reproduced = artifacts.some(({ outcome }) => outcome === "reproduced");
  return reproduced ? "reproduced, but there is no manifest of it" : `the verdict is ${artifacts.map(({ outcome }) => outcome).join(", ")}`;
}

type JudgedPackage = { readonly audited: AuditedPackage; readonly findings: readonly Finding[]; readonly members: readonly PlacedMember[] };

/** Of several artifacts with one name and version, the package is the one that its files are most like. */
function judgePlaced(
  { installed, candidates, reason }: Placed,
  judging: Placing & { digests: ReadonlyMap<string, FileDigest> },
): JudgedPackage {
  const judged = candidates.map(({ artifact, members }) => ({ artifact, members, findings: judgePackage(installed, members, judging) }));
  const alarms = (findings: readonly Finding[]) => findings.filter((finding) => fileClasses[finding.class] !== "expected").length;
  const [best] = judged.toSorted((a, b) => alarms(a.findings) - alarms(b.findings));
  if (best !== undefined) return { audited: { installed, artifact: best.artifact }, findings: best.findings, members: best.members };
  return { audited: { installed, reason: reason ?? "" }, findings: [], members: [] };
}

/** A directory is several packages': dpkg gives it owner and mode of the one that came first, so one that agrees is enough. */
function mergeShared(findings: readonly Finding[]): Finding[] {
  const byPath = new Map<string, Finding>();
  for (const finding of findings) {
    const before = byPath.get(finding.path);
    if (before === undefined || fileClasses[before.class] !== "expected") byPath.set(finding.path, finding);
  }
  return [...byPath.values()];
}

function ownedPaths(judged: readonly JudgedPackage[], { tree, locator, database }: Placing): ReadonlySet<string> {
  const owned = new Set<string>();
  for (const { audited, members } of judged) {
    if (audited.artifact !== undefined) for (const { path } of members) owned.add(path);
    else
      for (const path of loadInstalledPaths(tree, database, audited.installed))
        owned.add(locator.locate(database.diversions.get(path)?.to ?? path));
  }
  return owned;
}

/** Scripts and lists that dpkg writes itself. */
const ownRecords = new Set(["list", "md5sums"]);

/** Records of verified packages that their manifests do not have: a script that was added runs at the next upgrade. */
function unexpectedRecords(judged: readonly JudgedPackage[], { info }: DpkgDatabase): Finding[] {
  const expected = new Set(
    judged.flatMap(({ members }) => members.filter(({ member }) => member.part === "control").map(({ path }) => path)),
  );
  const verified = new Set(judged.flatMap(({ audited: { artifact, installed } }) => (artifact === undefined ? [] : [installed.package])));
  return [...(info ?? [])].flatMap((name): Finding[] => {
    const [, owner = "", kind = ""] = /^([^:]+?)(?::[a-z0-9-]+)?\.([a-z0-9-]+)$/.exec(name) ?? [];
    const path = `${infoDirectory}/${name}`;
    if (!verified.has(owner) || ownRecords.has(kind) || expected.has(path)) return [];
    return [{ class: "database-modified", path, package: owner, reason: "the package has no such member" }];
  });
}
