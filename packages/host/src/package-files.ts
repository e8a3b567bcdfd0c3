import type { ManifestMember } from "@quorate/attestation/manifest";
import type { InstalledPackage } from "@quorate/debian/dpkg-status";
import { type DpkgDatabase, infoPath } from "./dpkg-database.ts";
import { type Judged, type Observed, judgeMember } from "./expected-member.ts";
import type { Finding } from "./file-class.ts";
import type { FileDigest, HostTree, TreeNode } from "./host-tree.ts";
import type { Locator } from "./locator.ts";

/** A member of a package in the place where the tree must have it. */
export type PlacedMember = { readonly member: ManifestMember; readonly path: string; readonly node: TreeNode | undefined };

export type Placing = { readonly tree: HostTree; readonly locator: Locator; readonly database: DpkgDatabase };

/** Where a package's members are: diverted unless it is the one that diverts, and behind the links of the directories above them. */
export function placeMembers(
  installed: InstalledPackage,
  manifest: readonly ManifestMember[],
  { tree, locator, database }: Placing,
): PlacedMember[] {
  return manifest.flatMap((member) => {
    if (member.part === "control") {
      // What dpkg does not keep as it is, if it is there at all.
      if (member.kind !== "file" || member.path === "control" || database.info === undefined) return [];
      const path = infoPath(database, installed, member.path);
      return [{ member, path, node: tree.node(path) }];
    }
    const diversion = database.diversions.get(member.path);
    const path = locator.locate(diversion === undefined || diversion.package === installed.package ? member.path : diversion.to);
    return [{ member, path, node: tree.node(path) }];
  });
}

/** Whether a member's bytes have to be hashed: a file of another size has other bytes anyway. */
export function needsHash({ member, node }: PlacedMember): boolean {
  if (node?.kind !== "file" || member.sha256 === undefined) return false;
  return member.kind === "hardlink" || member.sizeBytes === node.sizeBytes;
}

/** What each member of a package is found to be. */
export function judgePackage(
  installed: InstalledPackage,
  members: readonly PlacedMember[],
  { tree, locator, database, digests }: Placing & { readonly digests: ReadonlyMap<string, FileDigest> },
): Finding[] {
  return members.map(({ member, path, node }) => {
    const observed: Observed = {
      path,
      node,
      digest: digests.get(path),
      leadsToDirectory:
        member.kind === "directory" && node?.kind === "symlink" && tree.node(locator.follow(path) ?? path)?.kind === "directory",
    };
    const judged = member.part === "control" ? judgeRecord(member, observed) : judgeMember(member, observed, database);
    return { ...judged, path, package: installed.package };
  });
}

/** A control member as dpkg keeps it in its info directory. */
function judgeRecord(member: ManifestMember, { node, digest }: Observed): Judged {
  if (node === undefined) return { class: "database-modified", reason: "missing" };
  if (node.kind === "unreadable") return { class: "unreadable" };
  if (digest?.kind === "hashed" && digest.sha256 === member.sha256) return { class: "verified" };
  if (digest?.kind === "unreadable") return { class: "unreadable", reason: digest.reason };
  return digest?.kind === "changed" ? { class: "changed-while-read" } : { class: "database-modified" };
}
