import type { JobView, RoundView } from "@quorate/protocol/submission";
import { html, type Html } from "@quorate/service/html";
import { type Page, timeText } from "../page.ts";
import { entryLink, packageLink } from "./links.ts";

/** What the workers of one round do now, each with its build log as it comes. */
export function liveRoundPage(round: RoundView): Page {
  const { source, version, architecture, distribution, suite, state, reason, submittedAt, verdict, verdictIndex } = round;
  return {
    title: `${source} ${version} being rebuilt`,
    description: `What each operator does to rebuild ${source} ${version} for ${architecture}.`,
    section: "live",
    scripts: verdict === undefined ? ["follow-logs"] : [],
    isMomentary: true,
    main: html`<p class="crumbs"><a href="/live">Live</a></p>
      <h1>${packageLink(source)} ${version} <small>${architecture}, ${distribution}/${suite}</small></h1>
      <p><span class="kind">${state}</span> since ${timeText(new Date(submittedAt))}${reason !== undefined && html`; ${reason}`}</p>
      ${
        verdict === undefined
          ? html`<p>
              The workers tell this; it is not signed, and lines are left out of what comes fast. The whole build log is kept with each
              result.
            </p>`
          : html`<p class="notice">
              This round is over: ${verdict.outcome}${verdictIndex !== undefined && html`, log entry ${entryLink(verdictIndex)}`}.
            </p>`
      }
      <div id="logs" data-round="${round.round}">
        ${round.jobs.length === 0 && html`<p class="none">No operators have been drawn yet.</p>`} ${round.jobs.map((job) => buildLog(job))}
      </div>
      <noscript
        ><p class="none">
          Build logs are shown as they come by a script; without it, load this page again to see what is done now.
        </p></noscript
      >`,
  };
}

function buildLog({ operator, operatorName, phase, outcome, activity }: JobView): Html {
  return html`<section class="build-log" data-operator="${operator}">
    <header>
      <h2>${operatorName}</h2>
      <span class="phase ${phase}">${outcome ?? phase}</span> <code class="activity">${activity?.slice(0, 200)}</code>
    </header>
    <pre tabindex="0" role="log" aria-label="Build log of ${operatorName}" aria-live="off"></pre>
  </section>`;
}
