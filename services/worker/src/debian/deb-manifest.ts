import { type ManifestMember, formatManifest } from "@quorate/attestation/manifest";
import { decodePath } from "@quorate/attestation/path-text";
import type { Sha256 } from "@quorate/protocol/digest";
import { type DebMember, readMembers } from "./deb-members.ts";

/** A binary package's manifest, and the digests of the files that it installs. */
export async function readManifest(deb: string, signal: AbortSignal): Promise<{ text: string; digests: Set<Sha256> }> {
  const control: DebMember[] = [];
  let conffiles = new Set<string>();
  for await (const { member, content } of readMembers(deb, { part: "control", keep: (path) => path === "conffiles", signal })) {
    control.push(member);
    if (content !== undefined) conffiles = parseConffiles(content);
  }
  const data: DebMember[] = [];
  for await (const { member } of readMembers(deb, { part: "data", keep: () => false, signal })) data.push(member);
  const members: ManifestMember[] = [...control, ...data].map((member) => ({
    ...member,
    conffile: member.part === "data" && conffiles.has(member.path),
  }));
  const digests = new Set(data.map(({ sha256 }) => sha256).filter((digest) => digest !== undefined));
  return { text: formatManifest(members), digests };
}

/** Policy §D.2.5 (conffiles): absolute paths, one a line, perhaps with a flag in front. */
function parseConffiles(bytes: Uint8Array): Set<string> {
  const lines = decodePath(bytes).split("\n");
  return new Set(
    lines
      .map((line) =>
        line
          .trim()
          .replace(/^remove-on-upgrade\s+/, "")
          .replace(/^\/+/, ""),
      )
      .filter((line) => line !== ""),
  );
}
