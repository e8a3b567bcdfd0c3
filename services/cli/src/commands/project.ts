import type { ProjectAudit, ProjectSubmissions, ProjectView } from "@quorate/protocol/project";
import { exitCodes, type ExitCode } from "../command-error.ts";
import { type ConnectionOptions, connectWithToken } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { escapeForLine } from "../escape-for-line.ts";
import { formatDuration } from "../progress/duration.ts";

export type ProjectOptions = ConnectionOptions & { failing?: boolean | undefined; limit: number; json?: boolean | undefined };

/** `quorate project`: the token's project, the newest of what it has submitted, and what was done to it. */
export async function runProject(options: ProjectOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const { limit, failing = false } = options;
  const api = await connectWithToken("reading a project", options, env);
  const [project, { submissions }, { entries }] = await Promise.all([
    api.project({ signal }),
    api.projectSubmissions({ limit, failing }, { signal }),
    api.projectAudit({ limit }, { signal }),
  ]);
  if (options.json) terminal.printJson({ ...project, newest: submissions, audit: entries });
  else for (const line of [...projectLines(project), ...submissionLines(submissions), ...auditLines(entries)]) terminal.print(line);
  return exitCodes.ok;
}

function projectLines({ project, token, quota, submissions, targets, failing, builderSeconds }: ProjectView): string[] {
  const freeAt = quota.freeAt === undefined ? "" : `; the first of them counts until ${quota.freeAt}`;
  const cameTo = Object.entries(targets).map(([outcome, count]) => `${count} ${outcome}`);
  return [
    `project      ${project}, by token ${token.id} (${token.scopes.join(" ")})${token.expiresAt ? ` that ends ${token.expiresAt}` : ""}`,
    `quota        ${quota.used} of ${quota.targetsADay} targets in the last 24 hours${freeAt}`,
    `submissions  ${submissions}`,
    `targets      ${cameTo.join(", ") || "none yet"}; ${failing} failing`,
    `cost         ${formatDuration(builderSeconds)} of builders' time`,
  ];
}

function submissionLines(submissions: ProjectSubmissions["submissions"]): string[] {
  return submissions.flatMap(({ id, request, submittedAt, targets }) => [
    `${submittedAt}  submission ${id}`,
    ...targets.map(
      ({ version, architecture, outcome, state, round }) =>
        `  ${request.distribution}/${request.suite} ${request.source} ${version} (${architecture}): ${outcome ?? state}, round ${round}`,
    ),
  ]);
}

function auditLines(entries: ProjectAudit["entries"]): string[] {
  return entries.map(({ at, actor, action, subject, detail }) =>
    escapeForLine([`${at}  ${actor}: ${action}`, subject, detail].filter((part) => part !== undefined).join(" ")),
  );
}
