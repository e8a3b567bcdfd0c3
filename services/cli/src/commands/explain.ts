import "../interpreted-schemas.ts";
import { resolve } from "node:path";
import { DirectoryTree } from "@quorate/host/directory-tree";
import { type DpkgDatabase, loadDpkgDatabase } from "@quorate/host/dpkg-database";
import { type Finding, fileClasses } from "@quorate/host/file-class";
import { FileHasher } from "@quorate/host/file-hasher";
import { findOwners } from "@quorate/host/find-owners";
import type { HostTree } from "@quorate/host/host-tree";
import { Locator } from "@quorate/host/locator";
import { judgePackage, needsHash, placeMembers } from "@quorate/host/package-files";
import { type Sha256, sha256Schema } from "@quorate/protocol/digest";
import type { SnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { escapeForLine } from "../escape-for-line.ts";
import { type Explanation, explainArtifact, explanationLines } from "../explanation.ts";
import { type HostSnapshot, type SnapshotOptions, openSnapshot } from "../host-snapshot.ts";

export type ExplainOptions = SnapshotOptions & {
  root?: string | undefined;
  /** Of a process: as `quorate watch` has it. */
  jit?: string | undefined;
  json?: boolean | undefined;
};

/** What was asked about, and what is known of it: a file is judged, and each artifact that it may come from is explained. */
type Subject = { readonly name: string; readonly artifacts: readonly SnapshotArtifact[]; readonly finding?: Finding };

/** `quorate explain PATH|PID|SHA256|PACKAGE`: the chain from a file to its package, the operators, the log and the source; offline. */
export async function runExplain(asked: string, options: ExplainOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal } = context;
  const snapshot = await openSnapshot(options);
  if (/^[1-9]\d*$/.test(asked))
    return await (await import("../explain-process.ts")).explainProcess(Number(asked), options, { snapshot, context });
  const { subject, explanations } = await explain(asked, options, { snapshot, context }).catch((cause: unknown) => {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`explaining ${asked}: ${errorLine(cause)}`, { exitCode: exitCodes.notReproduced, cause });
  });
  if (options.json) terminal.printJson({ asked, ...subject, explanations });
  else {
    const { name, finding } = subject;
    const found = finding === undefined ? "" : `: ${finding.class}${finding.reason === undefined ? "" : `, ${finding.reason}`}`;
    terminal.print(escapeForLine(name + found));
    for (const explanation of explanations) for (const line of explanationLines(explanation, snapshot)) terminal.print(line);
    if (explanations.length === 0) terminal.print("  no verdict that is known here is about it");
  }
  return exitCodeOf(subject, snapshot);
}

async function explain(asked: string, options: ExplainOptions, asking: Asking): Promise<{ subject: Subject; explanations: Explanation[] }> {
  const subject = await findSubject(asked, options, asking);
  const explanations: Explanation[] = [];
  for (const artifact of subject.artifacts) explanations.push(await explainArtifact(artifact, asking.snapshot));
  return { subject, explanations };
}

function exitCodeOf({ artifacts, finding }: Subject, { freshness }: HostSnapshot): ExitCode {
  const severity = finding === undefined ? "expected" : fileClasses[finding.class];
  if (severity === "tampering") return exitCodes.refuted;
  if (severity === "unseen" || freshness.kind !== "fresh") return exitCodes.notReproduced;
  const isReproduced = artifacts.some(({ outcome }) => outcome === "reproduced");
  return severity === "expected" && isReproduced ? exitCodes.ok : exitCodes.failed;
}

type Asking = { readonly snapshot: HostSnapshot; readonly context: CommandContext };
type Host = { readonly tree: HostTree; readonly database: DpkgDatabase; readonly locator: Locator };

async function findSubject(asked: string, { root = "/" }: ExplainOptions, asking: Asking): Promise<Subject> {
  await using hasher = new FileHasher();
  const openHost = (): Host => {
    const tree = new DirectoryTree(root, hasher);
    return { tree, database: loadDpkgDatabase(tree), locator: new Locator(tree) };
  };
  const sha256 = sha256Schema.safeParse(asked).data;
  if (sha256 !== undefined) return await subjectOfDigest(sha256, openHost, asking);
  if (asked.includes("/")) return await subjectOfPath(resolve("/", asked).slice(1), openHost(), asking);
  return subjectOfPackage(asked, openHost, asking);
}

/** `NAME`, as it is installed, or `NAME=VERSION`. */
function subjectOfPackage(asked: string, openHost: () => Host, { snapshot }: Asking): Subject {
  const [name = "", version] = asked.split("=");
  if (version !== undefined) {
    const artifacts = [...snapshot.artifacts.all()].filter((artifact) => artifact.package === name && artifact.version === version);
    return { name: asked, artifacts };
  }
  const installed = openHost().database.packages.filter((candidate) => candidate.package === name);
  if (installed.length === 0) throw new CommandError(`explaining ${name}: it is not installed; give NAME=VERSION`);
  return { name, artifacts: installed.flatMap((one) => snapshot.artifacts.find(one)) };
}

/** A package file's digest, or that of a file of a package that is installed. */
async function subjectOfDigest(sha256: Sha256, openHost: () => Host, { snapshot }: Asking): Promise<Subject> {
  const own = snapshot.artifacts.findByDigest(sha256);
  if (own.length > 0) return { name: `package file ${sha256}`, artifacts: own };
  const artifacts: SnapshotArtifact[] = [];
  const paths = new Set<string>();
  for (const installed of openHost().database.packages) {
    for (const artifact of snapshot.artifacts.find(installed)) {
      const members = (await snapshot.artifacts.loadManifest(artifact)) ?? [];
      const found = members.filter((member) => member.part === "data" && member.sha256 === sha256);
      if (found.length > 0) artifacts.push(artifact);
      for (const { path } of found) paths.add(`/${path}`);
    }
  }
  return { name: paths.size === 0 ? `file ${sha256}` : `file ${sha256}: ${[...paths].join(", ")}`, artifacts };
}

async function subjectOfPath(path: string, host: Host, { snapshot, context }: Asking): Promise<Subject> {
  const place = host.locator.locate(path);
  if (host.tree.node(place) === undefined) throw new CommandError(`explaining /${path}: there is no such file`);
  const artifacts: SnapshotArtifact[] = [];
  const findings: Finding[] = [];
  for (const installed of findOwners(place, host)) {
    for (const artifact of snapshot.artifacts.find(installed)) {
      const manifest = (await snapshot.artifacts.loadManifest(artifact)) ?? [];
      const members = placeMembers(installed, manifest, host).filter((member) => member.path === place);
      const digests = await host.tree.hash(
        members.filter(needsHash).map((member) => member.path),
        context,
      );
      findings.push(...judgePackage(installed, members, { ...host, digests }));
      if (members.length > 0) artifacts.push(artifact);
    }
  }
  const finding = findings.find(({ class: found }) => fileClasses[found] === "expected") ?? findings[0];
  return { name: `/${place}`, artifacts, ...(finding === undefined ? {} : { finding }) };
}
