import { html, type Html } from "@quorate/service/html";
import { type TargetLine, totalOf, type SuiteFacts } from "../network-facts.ts";
import type { OperatorFacts } from "../operator-facts.ts";
import { outcomeBadge, outcomeBar, outcomeCounts, totalCount } from "../outcome.ts";
import type { LiveView } from "../live-rounds.ts";
import { grouped } from "../number-text.ts";
import { type Page, searchForm, timeText } from "../page.ts";
import { entryLink, packageLink } from "./links.ts";
import { liveSummary } from "./live-summary.ts";

export type HomeFacts = {
  readonly live: LiveView;
  readonly logSize: number;
  readonly suites: readonly SuiteFacts[];
  readonly operators: readonly OperatorFacts[];
  readonly mismatches: readonly TargetLine[];
  readonly reproduced: readonly TargetLine[];
};

/** One question, one box; then the state of the network at a glance. */
export function homePage({ live, logSize, suites, operators, mismatches, reproduced }: HomeFacts): Page {
  const total = totalOf(suites);
  const enrolled = operators.filter(({ revokedIndex }) => revokedIndex === undefined).length;
  return {
    title: "Can I trust this package?",
    description:
      "Independent operators rebuild a distribution's packages; what each of them signed is public, and anyone can recompute the verdict.",
    section: "search",
    scripts: ["look-up-file", "follow-live"],
    // What is being rebuilt is in it.
    isMomentary: true,
    main: html`<section class="hero">
        <h1>Does this package come from its source?</h1>
        <p>
          Operators rebuild what a distribution publishes, each on its own. Each signs what came out, and everything is in a log that nobody
          can rewrite unseen.
        </p>
        ${searchForm("home")}
        <div class="drop" hidden>
          <p><b>Or drop a .deb here.</b> It is hashed in your browser and looked up; nothing of it is sent.</p>
          <input type="file" accept=".deb,.udeb" aria-label="A .deb to look up: it is hashed in your browser, not sent" />
          <p role="status"></p>
        </div>
      </section>
      <section class="glance">
        <h2>The network at a glance</h2>
        <ul class="totals">
          <li><b>${grouped(enrolled)}</b> <a href="/operators">operators</a></li>
          <li><b>${grouped(totalCount(total))}</b> <a href="/suites">targets</a></li>
          <li><b>${grouped(logSize)}</b> <a href="/log">log entries</a></li>
        </ul>
        ${outcomeBar(total)} ${outcomeCounts(total)}
      </section>
      <section class="now">
        <h2>Being rebuilt now</h2>
        <div id="live" data-shape="summary">${liveSummary(live)}</div>
      </section>
      <div class="columns">
        ${newest("Newest mismatches", mismatches, "No mismatch stands: nowhere do enough operators agree on other bytes than the published ones.")}
        ${newest("Newly reproduced", reproduced, "Nothing has been reproduced yet.")}
      </div>`,
  };
}

function newest(title: string, lines: readonly TargetLine[], none: string): Html {
  return html`<section>
    <h2>${title}</h2>
    ${
      lines.length === 0
        ? html`<p class="none">${none}</p>`
        : html`<ul class="news">
            ${lines.map(
              ({ source, version, architecture, outcome, verdictIndex, decidedAt }) =>
                html`<li>
                  ${outcomeBadge(outcome)}
                  <span>${packageLink(source)} ${version} <small>${architecture}</small></span>
                  <small>${timeText(new Date(decidedAt))}, entry ${entryLink(verdictIndex)}</small>
                </li>`,
            )}
          </ul>`
    }
  </section>`;
}
