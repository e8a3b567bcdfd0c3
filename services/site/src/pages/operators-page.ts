import { html, type Html } from "@quorate/service/html";
import { type Agreement, agreementKey, type OperatorFacts, type OperatorRecord } from "../operator-facts.ts";
import type { Page } from "../page.ts";
import { operatorLink } from "./links.ts";

type Given = {
  readonly operators: readonly { readonly facts: OperatorFacts; readonly record: OperatorRecord }[];
  readonly agreement: ReadonlyMap<string, Agreement>;
};

/** Who rebuilds, what came of it, and how often each two agree. */
export function operatorsPage({ operators, agreement }: Given): Page {
  return {
    title: "Operators",
    description: "The independent parties that rebuild packages, and how often they agree.",
    section: "operators",
    main: html`<h1>Operators</h1>
      <p>
        Each is a party with a signing key of its own, enrolled by an entry of the log. An operator counts once, however many machines it
        runs.
      </p>
      <div class="scroll" role="region" aria-label="Operators" tabindex="0">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Operator</th>
              <th scope="col" class="number">Counted</th>
              <th scope="col" class="number">Dissenting</th>
              <th scope="col" class="number">Not counted</th>
              <th scope="col" class="number">Never revealed</th>
              <th scope="col">Groups</th>
              <th scope="col">Builds</th>
            </tr>
          </thead>
          <tbody>
            ${operators.map(({ facts, record }) => operatorRow(facts, record))}
          </tbody>
        </table>
      </div>
      ${
        operators.length > 1 &&
        matrix(
          operators.map(({ facts }) => facts),
          agreement,
        )
      }`,
  };
}

function operatorRow(facts: OperatorFacts, { counted, dissenting, notCounted, unrevealed }: OperatorRecord): Html {
  const { groups, architectures } = facts.enrolment;
  return html`<tr>
    <th scope="row">${operatorLink(facts)}${facts.revokedIndex !== undefined && html` <small>revoked</small>`}</th>
    <td class="number">${counted}</td>
    <td class="number">${dissenting}</td>
    <td class="number">${notCounted}</td>
    <td class="number">${unrevealed}</td>
    <td>${Object.values(groups).join(", ") || "none stated"}</td>
    <td>${architectures.join(", ")}</td>
  </tr>`;
}

function matrix(operators: readonly OperatorFacts[], agreement: ReadonlyMap<string, Agreement>): Html {
  return html`<section>
    <h2>How often they agree</h2>
    <p>Of the artifacts that both built, how many came out the same, bit for bit.</p>
    <div class="scroll" role="region" aria-label="Agreement of operators" tabindex="0">
      <table class="matrix">
        <thead>
          <tr>
            <td></td>
            ${operators.map(({ enrolment }) => html`<th scope="col">${enrolment.name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${operators.map(
            (row) =>
              html`<tr>
                <th scope="row">${row.enrolment.name}</th>
                ${operators.map((column) => (row.id === column.id ? html`<td class="self"></td>` : agreementCell(agreement.get(agreementKey(row.id, column.id)))))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function agreementCell(of: Agreement | undefined): Html {
  if (of === undefined || of.compared === 0) return html`<td class="none">–</td>`;
  const { equal, compared } = of;
  const tenth = Math.floor((equal / compared) * 10);
  return html`<td class="share-${tenth}">${Math.floor((equal / compared) * 1000) / 10} %<small>${equal} of ${compared}</small></td>`;
}
