import { auditTree } from "@quorate/host/audit";
import { type AuditOutcome, decideOutcome } from "@quorate/host/audit-outcome";
import { DirectoryTree } from "@quorate/host/directory-tree";
import { FileHasher } from "@quorate/host/file-hasher";
import { auditJson, auditLines } from "../audit-report.ts";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { type SnapshotOptions, openSnapshot } from "../host-snapshot.ts";
import { createCountedProgress } from "../progress/counted.ts";

export type AuditOptions = SnapshotOptions & { root?: string | undefined; json?: boolean | undefined };

/** As docs/cli.md says. What could not be done at all is `incomplete` too: no audit that failed may pass for one that found nothing. */
const outcomeExitCodes: Record<AuditOutcome, ExitCode> = {
  clean: exitCodes.ok,
  drift: exitCodes.failed,
  tampering: exitCodes.refuted,
  incomplete: exitCodes.notReproduced,
};

/** `quorate audit`: compares every file of every package on a host with what the quorum rebuilt, offline. */
export async function runAudit(options: AuditOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const snapshot = await openSnapshot(options);
  const subject = options.root ?? "/";
  await using hasher = new FileHasher();
  using progress = createCountedProgress(terminal, (count) => `auditing ${subject}: ${count} files`);
  const tree = new DirectoryTree(subject, hasher);
  const audit = await auditTree({ tree, known: snapshot.artifacts, onFile: progress.at, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new CommandError(`auditing ${subject}: ${errorLine(cause)}`, { exitCode: exitCodes.notReproduced, cause });
  });
  progress[Symbol.dispose]();
  const outcome = decideOutcome(audit, snapshot.freshness.kind === "fresh");
  const report = { subject, audit, outcome, snapshot };
  if (options.json) terminal.printJson(auditJson(report));
  else for (const line of auditLines(report)) terminal.print(line);
  return outcomeExitCodes[outcome];
}
