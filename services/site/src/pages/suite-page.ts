import type { VerdictOutcome } from "@quorate/protocol/verdict";
import { html, type Html } from "@quorate/service/html";
import type { SuiteFacts, TargetLine } from "../network-facts.ts";
import { outcomeBadge, outcomeBar, outcomeCounts, outcomeMeaning } from "../outcome.ts";
import { type Page, timeText } from "../page.ts";
import type { Share, ShareFacet, SuiteDay } from "../suite-facts.ts";
import { tableFormats, verdictFormats } from "../suite-exports.ts";
import { dayChart } from "./day-charts.ts";
import { entryLink, feedOf, packageLink } from "./links.ts";

/** The loudest first. */
export const worstFirst: readonly VerdictOutcome[] = ["mismatch", "unreproducible", "failed", "inconclusive"];

export const shownTargets = 100;
const shownShares = 12;

type Given = {
  readonly facts: SuiteFacts;
  readonly lines: ReadonlyMap<VerdictOutcome, readonly TargetLine[]>;
  readonly days: readonly SuiteDay[];
  readonly components: readonly Share[];
  readonly causes: readonly Share[];
};

/** How a suite stands: what does not reproduce, worst first, and all of it to take away. */
export function suitePage({ facts, lines, days, components, causes }: Given): Page {
  const name = `${facts.distribution}/${facts.suite}`;
  const file = `${facts.distribution}-${facts.suite}`;
  const tableLinks = (table: "history" | `${ShareFacet}s`) =>
    tableFormats.map(
      (format) => html`<a href="/suite/${name}/${table}.${format}" download="${file}-${table}.${format}">${format.toUpperCase()}</a>`,
    );
  return {
    title: name,
    description: `What reproduces of ${name}, and what does not.`,
    section: "suites",
    feed: days.length > 0 ? feedOf(`/suite/${name}`) : undefined,
    main: html`<p class="crumbs"><a href="/suites">Suites</a></p>
      <h1>${name}</h1>
      ${outcomeBar(facts.counts)} ${outcomeCounts(facts.counts)}
      <p class="actions">
        All verdicts:
        ${verdictFormats.map((format) => html`<a href="/suite/${name}/verdicts.${format}" download="${file}.${format}">${format.toUpperCase()}</a>`)}
      </p>
      ${
        days.length > 1 &&
        html`<section>
          <h2>Over time</h2>
          ${dayChart(days)}
          <p class="actions">Day by day: ${tableLinks("history")}</p>
        </section>`
      }
      <div class="columns">
        ${shareSection("By component", components, tableLinks("components"))}
        ${shareSection("What stands in the way", causes, tableLinks("causes"))}
      </div>
      ${worstFirst.map((outcome) => outcomeSection(outcome, lines.get(outcome) ?? [], facts.counts.get(outcome) ?? 0))}`,
  };
}

function shareSection(title: string, shares: readonly Share[], links: readonly Html[]): Html | false {
  return (
    shares.length > 0 &&
    html`<section>
      <h2>${title}</h2>
      <dl class="shares">
        ${shares.slice(0, shownShares).map(
          ({ value, counts }) =>
            html`<dt>${causeWords.get(value) ?? value}</dt>
              <dd>${outcomeBar(counts)} ${outcomeCounts(counts)}</dd>`,
        )}
      </dl>
      <p class="actions">${shares.length > shownShares ? `All ${shares.length}:` : "As a table:"} ${links}</p>
    </section>`
  );
}

/** Causes that are outcomes; the others are reasons of failed builds, and say themselves what they are. */
const causeWords: ReadonlyMap<string, string> = new Map([
  ["mismatch", "Operators agree, on other bytes"],
  ["unreproducible", "Operators do not agree"],
  ["inconclusive", "Too few results in time"],
]);

function outcomeSection(outcome: VerdictOutcome, lines: readonly TargetLine[], count: number): Html | false {
  return (
    lines.length > 0 &&
    html`<section>
      <h2>${outcomeBadge(outcome)}</h2>
      <p>
        ${count} ${count === 1 ? "target" : "targets"}: ${outcomeMeaning[outcome]}.
        ${count > lines.length && ` The ${lines.length} newest:`}
      </p>
      <div class="scroll" role="group" aria-label="${outcome}" tabindex="0">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Source</th>
              <th scope="col">Version</th>
              <th scope="col">Architecture</th>
              <th scope="col">Decided</th>
              <th scope="col">Verdict</th>
            </tr>
          </thead>
          <tbody>
            ${lines.map(
              ({ source, version, architecture, verdictIndex, decidedAt, reason }) =>
                html`<tr>
                  <th scope="row">${packageLink(source)}${reason !== null && html`<br /><small>${reason}</small>`}</th>
                  <td>${version}</td>
                  <td>${architecture}</td>
                  <td>${timeText(new Date(decidedAt))}</td>
                  <td>entry ${entryLink(verdictIndex)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`
  );
}
