import type { RoundView } from "@quorate/protocol/submission";
import { html, type Html } from "@quorate/service/html";
import type { LiveView } from "../live-rounds.ts";
import { packageLink } from "./links.ts";

const shownRounds = 6;

/** What is being rebuilt, one line a round, with a dot for each operator. */
export function liveSummary(view: LiveView): Html {
  if (view === undefined) return html`<p class="none">The coordinator does not answer now: what is being rebuilt cannot be shown.</p>`;
  if (view.length === 0) return html`<p class="none">Nothing is being rebuilt at the moment.</p>`;
  return html`<ul class="news">
      ${view.slice(0, shownRounds).map(line)}
    </ul>
    ${view.length > shownRounds && html`<p><a href="/live">All ${view.length} of them</a></p>`}`;
}

function line({ round, source, version, architecture, state, jobs }: RoundView): Html {
  const done = jobs.filter(({ phase, outcome }) => outcome !== undefined || phase === "committed" || phase === "revealed").length;
  return html`<li>
    <span class="dots" aria-hidden="true">${jobs.map(({ phase, outcome }) => html`<i class="${outcome ?? phase}"></i>`)}</span>
    <span>${packageLink(source)} ${version} <small>${architecture}</small></span>
    <small>${jobs.length === 0 ? state : `${state}, ${done} of ${jobs.length} operators done`}, <a href="/live/${round}">watch</a></small>
  </li>`;
}
