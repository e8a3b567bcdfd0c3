import type { RoundView } from "@quorate/protocol/submission";
import { html, type Html } from "@quorate/service/html";
import type { LiveView } from "../live-rounds.ts";
import { timeText } from "../page.ts";
import { packageLink } from "./links.ts";

/** What is being rebuilt, and what each operator says that it does. */
export function liveSection(view: LiveView): Html {
  if (view === undefined) return html`<p class="notice">The coordinator does not answer now: what is being rebuilt cannot be shown.</p>`;
  if (view.length === 0) return html`<p class="none">Nothing is being rebuilt at the moment.</p>`;
  return html`<ul class="plain rounds">
    ${view.map(liveRound)}
  </ul>`;
}

function liveRound({ round, source, version, architecture, distribution, suite, state, reason, submittedAt, jobs }: RoundView): Html {
  return html`<li>
    <h2>${packageLink(source)} ${version} <small>${architecture}, ${distribution}/${suite}</small></h2>
    <p>
      <span class="kind">${state}</span> since ${timeText(new Date(submittedAt))}${reason !== undefined && html`; ${reason}`};
      <a href="/live/${round}">watch the builds</a>
    </p>
    <ul class="plain jobs">
      ${jobs.map(
        ({ operatorName, phase, outcome, activity }) =>
          html`<li>
            <b>${operatorName}</b> <span class="phase ${phase}">${outcome ?? phase}</span>
            ${activity !== undefined && html`<code>${activity.slice(0, 200)}</code>`}
          </li>`,
      )}
    </ul>
  </li>`;
}
