import type { LoggedResult } from "../artifact-facts.ts";
import type { Comparison, ResultComparison } from "../compare-results.ts";
import { html, type Html } from "@quorate/service/html";
import type { Page } from "../page.ts";
import { entryLink, packageLink } from "./links.ts";

const shownDifferences = 200;
const shownCharacters = 400;

type Given = {
  readonly one: LoggedResult;
  readonly other: LoggedResult;
  readonly names: ReadonlyMap<string, string>;
  readonly comparison: ResultComparison;
};

/** In what two operators' results of one target differ. */
export function comparePage({ one, other, names, comparison }: Given): Page {
  const nameOf = ({ result }: LoggedResult) => names.get(result.operator) ?? result.operator;
  const heads = [nameOf(one), nameOf(other)] as const;
  const { source, version, architecture } = one.result;
  const { circumstances, artifacts, environment, trace, manifests } = comparison;
  return {
    title: `${heads[0]} and ${heads[1]}: ${source} ${version}`,
    description: `In what the rebuilds of ${source} ${version} by ${heads[0]} and ${heads[1]} differ.`,
    isMomentary: [environment, trace, ...manifests.values()].some(({ kind }) => kind === "unavailable"),
    main: html`<p class="crumbs">${packageLink(source)} <span aria-hidden="true">/</span> ${version} <small>${architecture}</small></p>
      <h1>${heads[0]} and ${heads[1]}</h1>
      <p>Results in entries ${entryLink(one.index)} and ${entryLink(other.index)} of the log.</p>
      ${comparisonSection({ title: "Files", what: "files", heads, comparison: artifacts })}
      ${[...manifests].map(([file, members]) => comparisonSection({ title: `Inside ${file}`, what: "members", heads, comparison: members }))}
      ${comparisonSection({ title: "How they were built", what: "circumstances", heads, comparison: circumstances })}
      ${comparisonSection({ title: "Environment", what: "packages", heads, comparison: environment })}
      ${comparisonSection({ title: "Build trace", what: "intermediate files", heads, comparison: trace })}`,
  };
}

type Section = { title: string; what: string; heads: readonly [string, string]; comparison: Comparison };

function comparisonSection({ title, what, heads, comparison }: Section): Html {
  if (comparison.kind === "unavailable") {
    return html`<section>
      <h2>${title}</h2>
      <p class="none">Cannot be compared: ${comparison.reason}</p>
    </section>`;
  }
  const { count, differences } = comparison;
  if (differences.length === 0) {
    return html`<section>
      <h2>${title}</h2>
      <p class="same">All ${count} ${what} are the same.</p>
    </section>`;
  }
  return html`<section>
    <h2>${title}</h2>
    <p>
      ${differences.length} of ${count} ${what}
      ${differences.length === 1 ? "differs" : "differ"}${differences.length > shownDifferences && `; the first ${shownDifferences}`}:
    </p>
    <div class="scroll" role="group" aria-label="${title}" tabindex="0">
      <table class="list differences">
        <thead>
          <tr>
            <th scope="col">Name</th>
            ${heads.map((head) => html`<th scope="col">${head}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${differences.slice(0, shownDifferences).map(
            ({ name, one, other }) =>
              html`<tr>
                <th scope="row">${shortened(name)}</th>
                <td><code>${shortened(one ?? "–")}</code></td>
                <td><code>${shortened(other ?? "–")}</code></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** A path or a link may be as long as its archive; what was kept has all of it. */
function shortened(text: string): string {
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)} … ${text.length} characters` : text;
}
