import { html, type Html } from "@quorate/service/html";
import type { Exception, OperatorFacts, OperatorRecord } from "../operator-facts.ts";
import type { Page } from "../page.ts";
import { entryLink, feedOf, operatorPath, packageLink } from "./links.ts";
import { standingWords } from "./standing-words.ts";

type Given = {
  readonly facts: OperatorFacts;
  readonly record: OperatorRecord;
  readonly exceptions: readonly Exception[];
};

/** Who an operator says it is, and what it did; its machines' addresses are nowhere. */
export function operatorPage({ facts, record, exceptions }: Given): Page {
  const { id, enrolment, enrolledIndex, revokedIndex } = facts;
  const { name, contact, groups, architectures } = enrolment;
  return {
    title: name,
    description: `What operator ${name} rebuilt, and how often it agreed with the others.`,
    section: "operators",
    feed: feedOf(operatorPath(id)),
    main: html`<p class="crumbs"><a href="/operators">Operators</a></p>
      <h1>${name}</h1>
      ${revokedIndex !== undefined && html`<p class="notice">Revoked by log entry ${entryLink(revokedIndex)}: results after it do not count.</p>`}
      <dl class="facts">
        <dt>Operator id</dt>
        <dd><code class="whole">${id}</code></dd>
        <dt>Enrolled by</dt>
        <dd>log entry ${entryLink(enrolledIndex)}</dd>
        ${
          contact !== undefined &&
          html`<dt>Contact</dt>
            <dd>${contact}</dd>`
        }
        ${Object.entries(groups).map(
          ([kind, value]) =>
            html`<dt>${kind}</dt>
              <dd>${value}</dd>`,
        )}
        <dt>Builds</dt>
        <dd>${architectures.join(", ")}</dd>
      </dl>
      <ul class="counts">
        <li><b>${record.counted}</b> results counted</li>
        <li><b>${record.dissenting}</b> of them dissenting</li>
        <li><b>${record.notCounted}</b> not counted</li>
        <li><b>${record.unrevealed}</b> committed and never revealed</li>
      </ul>
      ${exceptionList(exceptions)}`,
  };
}

function exceptionWords(standing: Exception["standing"]): string {
  if (standing === "counted") return "it dissents";
  if (standing === "unrevealed") return "it committed to a result, and never revealed it";
  return `its result did not count: ${standingWords[standing]}`;
}

function exceptionList(exceptions: readonly Exception[]): Html | false {
  return (
    exceptions.length > 0 &&
    html`<section>
      <h2>Where it did not go with the others</h2>
      <ul>
        ${exceptions.map(
          ({ verdictIndex, standing, source, version }) =>
            html`<li>${packageLink(source)} ${version}: ${exceptionWords(standing)}, verdict in entry ${entryLink(verdictIndex)}</li>`,
        )}
      </ul>
    </section>`
  );
}
