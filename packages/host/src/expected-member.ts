import type { ManifestMember } from "@quorate/attestation/manifest";
import type { DpkgDatabase } from "./dpkg-database.ts";
import type { FileClass } from "./file-class.ts";
import type { FileDigest, TreeNode } from "./host-tree.ts";

/** What was seen in the place of a manifest's member. */
export type Observed = {
  readonly path: string;
  readonly node: TreeNode | undefined;
  /** Of a file whose size is the member's. */
  readonly digest?: FileDigest | undefined;
  /** Whether a directory is what a symbolic link here leads to. */
  readonly leadsToDirectory?: boolean;
};

export type Judged = { readonly class: FileClass; readonly reason?: string };

const setBits = 0o6000;
const stickyBit = 0o1000;

/** What a member of a package's data is found to be: its content first, then who may change it. */
export function judgeMember(member: ManifestMember, observed: Observed, database: DpkgDatabase): Judged {
  const { node } = observed;
  if (node === undefined) return judgeMissing(member, database);
  if (node.kind === "unreadable") return { class: "unreadable" };
  // dpkg leaves a link to a directory where a package has that directory.
  if (member.kind === "directory" && observed.leadsToDirectory === true) return { class: "verified" };
  const isFile = member.kind === "file" || member.kind === "hardlink";
  const content = isFile ? judgeContent(member, observed, node) : judgeKind(member, node);
  if (content.class !== "verified" && content.class !== "locally-configured") return content;
  const access = member.kind === "symlink" ? undefined : judgeAccess(member, node, database);
  return access ?? content;
}

function judgeMissing({ conffile, path }: ManifestMember, { isExcluded }: DpkgDatabase): Judged {
  if (conffile) return { class: "locally-configured", reason: "removed" };
  return { class: isExcluded(path) ? "excluded" : "missing" };
}

function judgeKind(member: ManifestMember, node: TreeNode): Judged {
  if (node.kind !== member.kind) return { class: "replaced", reason: `a ${node.kind} instead of a ${member.kind}` };
  if (node.linkTarget === member.linkTarget) return { class: "verified" };
  if (member.conffile) return { class: "locally-configured" };
  return { class: "replaced", reason: `leads to ${node.linkTarget} instead of ${member.linkTarget}` };
}

function judgeContent(member: ManifestMember, { digest }: Observed, node: TreeNode): Judged {
  if (node.kind !== "file") {
    const isConfigured = member.conffile && node.kind === "symlink";
    return isConfigured ? { class: "locally-configured" } : { class: "replaced", reason: `a ${node.kind} instead of a file` };
  }
  if (digest?.kind === "hashed" && digest.sha256 === member.sha256) return { class: "verified" };
  if (digest?.kind === "unreadable") return { class: "unreadable", reason: digest.reason };
  if (digest?.kind === "changed") return { class: "changed-while-read" };
  return { class: member.conffile ? "locally-configured" : "modified" };
}

/** `undefined` when owner and mode are the member's. */
function judgeAccess(member: ManifestMember, node: TreeNode, database: DpkgDatabase): Judged | undefined {
  const override = database.overrides.get(member.path);
  const mode = override?.mode ?? member.mode;
  const owner = idOf(override?.owner ?? member.owner, database.users) ?? node.uid;
  const group = idOf(override?.group ?? member.group, database.groups) ?? node.gid;
  const isFile = node.kind === "file";
  const octal = (bits: number) => bits.toString(8).padStart(4, "0");
  const insteadOf = (expected: number) => `mode ${octal(node.mode)} instead of ${octal(expected)}`;
  // An override may take such bits away, and not add them: whoever tampers writes overrides too.
  // Nor may it let everybody write, except to a directory where each has files of his own.
  if (isFile && (node.mode & setBits & ~member.mode) !== 0) return { class: "setuid-added", reason: insteadOf(member.mode) };
  const isShared = node.kind === "directory" && (node.mode & mode & stickyBit) !== 0;
  if ((node.mode & 0o002 & ~(isShared ? mode : member.mode)) !== 0) return { class: "write-allowed", reason: insteadOf(member.mode) };
  if (node.mode !== mode) return { class: "mode-changed", reason: insteadOf(mode) };
  if (node.uid !== owner || node.gid !== group) {
    return { class: "owner-changed", reason: `owned by ${node.uid}:${node.gid} instead of ${owner}:${group}` };
  }
  const isAsPackaged =
    override === undefined || (override.mode === member.mode && override.owner === member.owner && override.group === member.group);
  return isAsPackaged ? undefined : { class: "overridden" };
}

/** `undefined` for a name that the tree does not know: then there is nothing to compare with. */
function idOf(name: string, ids: ReadonlyMap<string, number>): number | undefined {
  const numeric = /^#?(\d{1,10})$/.exec(name)?.[1];
  return numeric === undefined ? ids.get(name) : Number(numeric);
}
