import type { RuntimePredicate } from "@quorate/protocol/runtime";
import { type Html, html } from "@quorate/service/html";
import type { EnrolledHost } from "./enrolled-hosts.ts";
import type { HistoryPart } from "./host-history.ts";
import { page, stateWords, table } from "./page.ts";

const shownFindings = 20;

/** One host for administrators: what was to be thought of it, and since when. */
export function hostPage({ id, name }: EnrolledHost, history: readonly HistoryPart[]): string {
  const [now] = history;
  const state = now?.state ?? "never-reported";
  const heading = `${name} ${stateWords[state]}`;
  return page({ title: `Fleet: ${heading}`, heading }, [
    html`<p><code>${id}</code> · <a href="../">all hosts</a></p>`,
    html`<h2>History</h2>`,
    history.length === 0
      ? html`<p>Nothing yet.</p>`
      : table(["State", "From", "Until", "Reports", "What was not verified"], history.map(partRow)),
  ]);
}

function partRow(part: HistoryPart): Html {
  const isSilence = part.state === "silent";
  return html`<tr>
    <td><strong>${part.state}</strong></td>
    <td>${part.since}</td>
    <td>${part.until ?? "now"}</td>
    <td>${isSilence ? "none" : part.reports}</td>
    <td>${!isSilence && findingList(part.report)}</td>
  </tr>`;
}

function findingList({ findings }: RuntimePredicate): Html {
  const more = findings.length - shownFindings;
  return html`${findings
    .slice(0, shownFindings)
    .map(({ class: found, path, reason }) => html`<div>${found} <code>${path}</code>${reason !== undefined && `: ${reason}`}</div>`)}${
    more > 0 && html`<div>and ${more} more</div>`
  }`;
}
