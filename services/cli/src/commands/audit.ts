import { formatTime } from "@quorate/protocol/names";
import { auditTree } from "@quorate/host/audit";
import { decideOutcome } from "@quorate/host/audit-outcome";
import { DirectoryTree } from "@quorate/host/directory-tree";
import { FileHasher } from "@quorate/host/file-hasher";
import { HashCache, loadCache } from "@quorate/host/hash-cache";
import type { HostTree } from "@quorate/host/host-tree";
import { loadImage, loadTar } from "@quorate/host/load-archive";
import { type AuditFormat, auditDocument, deploymentStatement } from "../audit-documents.ts";
import { type AuditReport, auditJson, auditLines } from "../audit-report.ts";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { type HostSnapshot, type SnapshotOptions, openSnapshot } from "../host-snapshot.ts";
import { outcomeExitCodes } from "../outcome-exit-codes.ts";
import { saveFile } from "../own-files.ts";
import { createCountedProgress } from "../progress/counted.ts";
import { signReport } from "../report-signer.ts";

export type AuditOptions = SnapshotOptions & {
  root?: string | undefined;
  tar?: string | undefined;
  oci?: string | undefined;
  format?: AuditFormat | undefined;
  cache?: string | undefined;
  /** Directory of the key and of the last report. */
  sign?: string | undefined;
  json?: boolean | undefined;
};

/** `quorate audit`: compares every file of every package on a host with what the quorum rebuilt, offline. */
export async function runAudit(options: AuditOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  if ([options.root, options.tar, options.oci].filter((given) => given !== undefined).length > 1) {
    throw new CommandError("auditing: give one of --root, --tar and --oci", { exitCode: exitCodes.notReproduced });
  }
  const snapshot = await openSnapshot(options);
  const subject = options.tar ?? options.oci ?? options.root ?? "/";
  const { audit, cache } = await auditSubject(subject, options, snapshot, context).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new CommandError(`auditing ${subject}: ${errorLine(cause)}`, { exitCode: exitCodes.notReproduced, cause });
  });
  const outcome = decideOutcome(audit, snapshot.freshness.kind === "fresh");
  const report: AuditReport = { subject, audit, outcome, snapshot, ...(cache && { cache }) };
  if (options.sign !== undefined) terminal.print(await signed(report, options.sign));
  else if (options.format !== undefined) terminal.printJson(auditDocument(options.format, report, new Date()));
  else if (options.json) terminal.printJson(auditJson(report));
  else for (const line of auditLines(report)) terminal.print(line);
  return outcomeExitCodes[outcome];
}

async function signed(report: AuditReport, directory: string): Promise<string> {
  const auditedAt = formatTime(new Date());
  const envelope = await signReport(directory, (place) => deploymentStatement(report, auditedAt, place)).catch((cause: unknown) => {
    throw new CommandError(`signing the report: ${errorLine(cause)}`, { exitCode: exitCodes.notReproduced, cause });
  });
  return new TextDecoder().decode(envelope);
}

async function auditSubject(
  subject: string,
  options: AuditOptions,
  { artifacts: known }: HostSnapshot,
  context: CommandContext,
): Promise<Pick<AuditReport, "audit" | "cache">> {
  const { terminal, signal } = context;
  await using hasher = new FileHasher();
  using progress = createCountedProgress(terminal, (count) => `auditing ${subject}: ${count} files`);
  const cache = options.cache === undefined ? undefined : await openCache(options.cache);
  const tree = await openTree(subject, options, { hasher, cache, signal });
  const audit = await auditTree({ tree, known, onFile: progress.at, signal });
  if (cache === undefined || options.cache === undefined) return { audit };
  await saveFile(options.cache, cache.format(), { mode: 0o600 });
  return { audit, cache: { reused: cache.reused, oldestAt: new Date(cache.oldestAt * 1000).toISOString() } };
}

async function openCache(path: string): Promise<HashCache> {
  return new HashCache(await loadCache(path), { now: new Date(), random: Math.random });
}

async function openTree(
  subject: string,
  options: AuditOptions,
  { hasher, cache, signal }: { hasher: FileHasher; cache: HashCache | undefined; signal: AbortSignal },
): Promise<HostTree> {
  if (options.tar !== undefined) return await loadTar(subject, signal);
  if (options.oci !== undefined) return await loadImage(subject, { architecture: process.arch === "x64" ? "amd64" : process.arch, signal });
  return new DirectoryTree(subject, hasher, cache);
}
