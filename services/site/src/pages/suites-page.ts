import { html } from "@quorate/service/html";
import type { SuiteFacts } from "../network-facts.ts";
import { outcomeBar, outcomeCounts, outcomeMeaning, outcomes } from "../outcome.ts";
import type { Page } from "../page.ts";

/** How the targets of each suite came out. */
export function suitesPage(suites: readonly SuiteFacts[]): Page {
  return {
    title: "Suites",
    description: "How much of each suite was rebuilt, and how it came out.",
    section: "suites",
    main: html`<h1>Suites</h1>
      ${suites.length === 0 && html`<p class="none">Nothing has been submitted yet.</p>`}
      ${suites.map(
        ({ distribution, suite, counts }) =>
          html`<section>
            <h2><a href="/suite/${distribution}/${suite}">${distribution}/${suite}</a></h2>
            ${outcomeBar(counts)} ${outcomeCounts(counts)}
          </section>`,
      )}
      <h2>What the words mean</h2>
      <dl class="facts">
        ${outcomes.map(
          (outcome) =>
            html`<dt>${outcome}</dt>
              <dd>${outcomeMeaning[outcome]}</dd>`,
        )}
      </dl>`,
  };
}
