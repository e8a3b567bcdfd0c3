import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { parseParagraphs } from "@quorate/debian/deb822";
import { type Archive, archiveSchema } from "./archive-config.ts";
import { ArchiveError } from "./archive-error.ts";

const run = promisify(execFile);

/** One index that the host's apt uses, as `apt-get indextargets` lists it. */
export type IndexTarget = {
  readonly url: string;
  readonly release: string;
  readonly codename: string | undefined;
  readonly origin: string | undefined;
  readonly component: string;
  readonly architecture: string;
  /** `path:number`: the file of apt sources, and the paragraph or line in it. */
  readonly entry: string;
};

/**
 * The archives that this host's apt is configured with, one for each distribution: the first of its kind, with every suite that the
 * host uses from it. So no mirror stands in any file of ours.
 *
 * @throws ArchiveError "unreachable" when this host has no apt, or apt has no usable archive; then an archives file is needed
 */
export async function deriveHostArchives(): Promise<Archive[]> {
  const hint = "name the archives in an archives file";
  let text: string;
  try {
    text = (await run("apt-get", ["indextargets"], { timeout: 30_000, maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (cause) {
    throw new ArchiveError("unreachable", `asking apt-get for this host's archives: ${String(cause)}; ${hint}`, { cause });
  }
  const archives: Archive[] = [];
  const ownDistribution = await distributionOfHost();
  for (const [url, targets] of Map.groupBy(parseIndexTargets(text), (target) => target.url)) {
    const [first] = targets;
    const distribution = first?.origin?.toLowerCase() ?? ownDistribution;
    if (first === undefined || archives.some((archive) => archive.distribution === distribution)) continue;
    const keyrings = await keyringsOf(first.entry, distribution);
    const parsed = archiveSchema.safeParse({
      distribution,
      url,
      architectures: [first.architecture],
      keyrings,
      environments: Object.fromEntries(targets.map(({ release }) => [release, [release]])),
    });
    // Third-party archives with odd names or layouts are not what targets come from.
    if (parsed.success) archives.push(parsed.data);
  }
  if (archives.length === 0) throw new ArchiveError("unreachable", `apt on this host has no usable archive with a keyring; ${hint}`);
  return archives;
}

/**
 * The Packages indices in the output of `apt-get indextargets`, in apt's order.
 *
 * @throws ParseError when it is not a control file
 */
export function parseIndexTargets(text: string): IndexTarget[] {
  const targets: IndexTarget[] = [];
  for (const paragraph of parseParagraphs(text)) {
    const url = paragraph.get("repo-uri") ?? "";
    const release = paragraph.get("release");
    if (paragraph.get("created-by") !== "Packages" || release === undefined || !/^(?:https?|file):/.test(url)) continue;
    targets.push({
      url,
      release,
      codename: paragraph.get("codename"),
      origin: paragraph.get("origin"),
      component: paragraph.get("component") ?? "main",
      architecture: paragraph.get("architecture") ?? "",
      entry: paragraph.get("sourcesentry") ?? "",
    });
  }
  return targets;
}

/** The keyring files of a sources entry's Signed-By; without one, the distribution's own keyring as its package installs it. */
async function keyringsOf(entry: string, distribution: string): Promise<string[]> {
  const [, path = "", number = "1"] = /^(.*):(\d+)$/.exec(entry) ?? [];
  const text = await readFile(path, "utf8").catch(() => "");
  const signedBy = parseSignedBy(text, { deb822: path.endsWith(".sources"), number: Number(number) });
  if (signedBy.length > 0) return signedBy;
  const usual = `/usr/share/keyrings/${distribution}-archive-keyring.gpg`;
  return (await stat(usual).catch(() => undefined)) === undefined ? [] : [usual];
}

/**
 * The key files that one entry of an apt sources file trusts: the `Signed-By` field of the paragraph with this number (sources.list(5),
 * deb822 style, from 1), or the `signed-by` option of the line. Fingerprints and embedded keys are not files and are left out.
 */
export function parseSignedBy(text: string, { deb822, number }: { deb822: boolean; number: number }): string[] {
  const value = deb822
    ? (parseParagraphs(text, { comments: true })[number - 1]?.get("signed-by") ?? "")
    : (/\[[^\]]*\bsigned-by=([^\]\s]+)/i.exec(text.split("\n")[number - 1] ?? "")?.[1] ?? "");
  return value.split(/[\s,]+/).filter((word) => /^\/[\w./+-]+$/.test(word));
}

async function distributionOfHost(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^ID="?([a-z][a-z0-9-]*)"?$/m.exec(text)?.[1] ?? "debian";
}
