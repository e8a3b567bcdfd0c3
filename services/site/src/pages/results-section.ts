import type { Result } from "@quorate/protocol/result";
import type { LoggedResult, RoundFacts, TargetFacts } from "../artifact-facts.ts";
import { shortDigest } from "../digest-mark.ts";
import { type Html, html } from "@quorate/service/html";
import { timeText } from "../page.ts";
import { operatorLink } from "./links.ts";

/** How each result of a round came about: when, how long, with what, and what the operator kept of it. */
export function resultsSection(facts: TargetFacts, { results }: RoundFacts): Html | false {
  return (
    results.length > 0 &&
    html`<details class="results">
      <summary>How each result came about</summary>
      <div class="scroll" role="region" aria-label="Results of the operators" tabindex="0">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Operator</th>
              <th scope="col">Built</th>
              <th scope="col">Environment</th>
              <th scope="col">Sandbox</th>
              <th scope="col">Trace</th>
              <th scope="col">Kept</th>
            </tr>
          </thead>
          <tbody>
            ${results.map((logged) => resultRow(facts, logged))}
          </tbody>
        </table>
      </div>
      ${comparisons(facts, results)}
    </details>`
  );
}

function resultRow({ operators }: TargetFacts, { index, result }: LoggedResult): Html {
  const operator = operators.get(result.operator);
  const seconds = Math.round((Date.parse(result.finishedAt) - Date.parse(result.startedAt)) / 1000);
  const lock = result.byproducts.find(({ kind }) => kind === "environment-lock");
  const versions = Object.entries(result.builderVersion).map(([what, version]) => `${what} ${version}`);
  return html`<tr>
    <th scope="row">${operator === undefined ? result.operator.slice(0, 8) : operatorLink(operator)}</th>
    <td>${timeText(new Date(result.startedAt))}<small>in ${seconds} s</small></td>
    <td>${lock === undefined ? "–" : html`<a href="/result/${index}/${lock.sha256}">${shortDigest(lock.sha256)}</a>`}</td>
    <td>${result.sandboxProfile}<small>${versions.join(", ")}</small></td>
    <td>${traceText(result)}</td>
    <td>${keptLinks(index, result)}</td>
  </tr>`;
}

function traceText(result: Result): Html {
  if (result.outcome === "failed") return html`${result.failure.step}: ${result.failure.message}`;
  return html`${result.trace.files} files ${shortDigest(result.trace.rootSha256)}`;
}

/** By their names in the result: the file of an artifact's manifest, or `build.log` and the like. */
function keptLinks(index: number, { byproducts }: Result): Html {
  return html`<ul class="plain">
    ${byproducts.slice(0, 12).map(({ kind, sha256 }) => html`<li><a href="/result/${index}/${sha256}">${kind}</a></li>`)}
    ${byproducts.length > 12 && html`<li>and ${byproducts.length - 12} more</li>`}
  </ul>`;
}

function comparisons({ operators }: TargetFacts, results: readonly LoggedResult[]): Html | false {
  const nameOf = ({ result }: LoggedResult) => operators.get(result.operator)?.enrolment.name ?? result.operator.slice(0, 8);
  const pairs = results.flatMap((one, at) => results.slice(at + 1).map((other) => ({ one, other })));
  return (
    pairs.length > 0 &&
    html`<p class="actions">
      Compare
      ${pairs.slice(0, 15).map(({ one, other }) => html`<a href="/compare/${one.index}/${other.index}">${nameOf(one)} with ${nameOf(other)}</a>`)}
    </p>`
  );
}
