import type { ProjectAudit, ProjectSubmissions, ProjectView } from "@quorate/protocol/project";
import { html, type Html } from "@quorate/service/html";
import { grouped } from "../number-text.ts";
import { type Outcome, outcomeBadge, outcomeBar, outcomeCounts, outcomes } from "../outcome.ts";
import { type Page, timeText } from "../page.ts";
import { entryLink, packageLink, versionLink } from "./links.ts";

type Submission = ProjectSubmissions["submissions"][number];

type Given = {
  readonly project: ProjectView;
  readonly submissions: ProjectSubmissions;
  readonly audit: ProjectAudit;
  /** Whether only submissions that fail are listed, and whether the list begins with the newest. */
  readonly isFailing: boolean;
  readonly isFirst: boolean;
};

/** What a project has submitted and what came of it, for those who have a token of it. */
export function projectPage({ project: view, submissions, audit, isFailing, isFirst }: Given): Page {
  const { project, targets } = view;
  const counts = new Map<Outcome, number>(outcomes.map((outcome) => [outcome, targets[outcome] ?? 0]));
  return {
    title: `Project ${project}`,
    description: "What your project has submitted, and what came of it.",
    main: html`<h1>Project ${project}</h1>
      ${facts(view)}
      <form class="actions" method="post" action="/project/sign-out"><button>Sign out</button></form>
      <section>
        <h2>Targets</h2>
        <p>
          ${grouped(view.submissions)} submissions; each of their targets by what its newest round came to. Verdicts are in the log; what
          else is here is the coordinator's word.
        </p>
        ${outcomeBar(counts)} ${outcomeCounts(counts)}
      </section>
      ${submissionSection(submissions, { isFailing, isFirst, failing: view.failing })} ${auditSection(audit)}`,
  };
}

function facts({ token, quota, builderSeconds }: ProjectView): Html {
  const { used, targetsADay, freeAt } = quota;
  return html`<dl class="facts">
    <dt>Signed in by token</dt>
    <dd>
      <code class="whole">${token.id}</code>:
      ${token.scopes.join(", ")}${token.expiresAt !== undefined && html`; ends ${timeText(new Date(token.expiresAt))}`}
    </dd>
    <dt>Quota</dt>
    <dd>
      ${grouped(used)} of ${grouped(targetsADay)} targets in the last 24
      hours${freeAt !== undefined && html`; the first of them counts until ${timeText(new Date(freeAt))}`}
    </dd>
    <dt>Cost</dt>
    <dd>${costText(builderSeconds)} of builders' time</dd>
  </dl>`;
}

function costText(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${grouped(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

function submissionSection(
  { submissions, next }: ProjectSubmissions,
  { isFailing, isFirst, failing }: { isFailing: boolean; isFirst: boolean; failing: number },
): Html {
  const query = isFailing ? "failing=true&" : "";
  const other = isFailing
    ? html`<a href="/project">All submissions</a>`
    : failing > 0 && html`<a href="/project?failing=true">Those with one of the ${grouped(failing)} targets that fail</a>`;
  return html`<section>
    <h2>${isFailing ? "Submissions that fail" : "Submissions"}</h2>
    <p class="actions">${other}</p>
    ${submissions.length === 0 ? html`<p class="none">There is none here.</p>` : submissionTable(submissions)}
    <p class="actions">
      ${!isFirst && html`<a href="/project${isFailing && "?failing=true"}">The newest</a>`}
      ${next !== undefined && html`<a href="/project?${query}after=${next}">Older ones</a>`}
    </p>
  </section>`;
}

function submissionTable(submissions: readonly Submission[]): Html {
  const rows = submissions.map(
    ({ request, submittedAt, token, targets }) =>
      html`<tr>
        <th scope="row">${packageLink(request.source)}</th>
        <td>${request.distribution}/${request.suite}</td>
        <td>${targets.map((target) => targetLine(request.source, target))}</td>
        <td>${timeText(new Date(submittedAt))}</td>
        <td><code>${token.slice(0, 8)}</code></td>
      </tr>`,
  );
  return listTable("Submissions", ["Package", "Suite", "Targets", "Submitted", "By token"], rows);
}

function targetLine(source: string, { version, architecture, round, state, outcome, verdictIndex }: Submission["targets"][number]): Html {
  return html`<div>
    ${versionLink(source, version)} <small>${architecture}</small> ${outcomeBadge(outcome ?? "pending")}
    <small
      >${verdictIndex === undefined ? html`${state}, <a href="/live/${round}">watch</a>` : html`entry ${entryLink(verdictIndex)}`}</small
    >
  </div>`;
}

function auditSection({ entries }: ProjectAudit): Html {
  const rows = entries.map(
    ({ at, actor, action, subject, detail }) =>
      html`<tr>
        <td>${timeText(new Date(at))}</td>
        <td>${actor}</td>
        <td>${action}</td>
        <td>${subject !== undefined && html`<code>${subject.slice(0, 8)}</code>`}</td>
        <td>${detail}</td>
      </tr>`,
  );
  return html`<section>
    <h2>Audit log</h2>
    ${rows.length === 0 ? html`<p class="none">Nothing was done to this project.</p>` : listTable("Audit log", ["When", "Who", "What", "Of", "How"], rows)}
  </section>`;
}

function listTable(label: string, columns: readonly string[], rows: readonly Html[]): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table class="list">
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}
