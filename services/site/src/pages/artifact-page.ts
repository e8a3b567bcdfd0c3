import type { ArtifactFacts, RoundFacts } from "../artifact-facts.ts";
import { html, type Html } from "@quorate/service/html";
import { outcomeBadge } from "../outcome.ts";
import { type Page, timeText } from "../page.ts";
import { agreementGrid } from "./agreement-grid.ts";
import { chainSection } from "./chain-section.ts";
import { checkSection } from "./check-section.ts";
import { entryLink, packageLink, versionLink } from "./links.ts";
import { resultsSection } from "./results-section.ts";
import { verdictSentence } from "./verdict-sentence.ts";

/** What the network says of one file: the verdict, who says what, and where the log has it. */
export function artifactPage(facts: ArtifactFacts): Page {
  const { artifact, newest } = facts;
  const outcome = newest?.said?.outcome ?? newest?.ruling.verdict.outcome ?? "pending";
  const sentence = verdictSentence(facts);
  return {
    title: `${artifact.file}: ${outcome}`,
    description: sentence,
    scripts: newest === undefined ? [] : ["check-page"],
    main: html`<article>
      <p class="crumbs">
        ${packageLink(artifact.package)} <span aria-hidden="true">/</span> ${versionLink(artifact.package, artifact.version)}
      </p>
      <h1>${artifact.file}</h1>
      <section class="verdict ${outcome}" aria-label="Verdict">
        ${outcomeBadge(outcome)}
        <p class="sentence">${sentence}</p>
        ${newest && html`<p class="when">Decided ${timeText(new Date(newest.ruling.verdict.decidedAt))}, log entry ${entryLink(newest.ruling.index)}.</p>`}
        <p class="checked" hidden><a href="#check"></a></p>
      </section>
      ${otherDigestNotice(facts)} ${digestLines(facts)} ${facts.rounds.map((round) => roundSection(facts, round))} ${chainSection(facts)}
      ${checkSection(facts)}
    </article>`,
  };
}

function otherDigestNotice({ artifact, sha256, target }: ArtifactFacts): Html | false {
  return (
    artifact.sha256 !== sha256 &&
    html`<p class="notice">
      You asked for <code>${sha256}</code>. That is not what ${target.distribution} published under this name: it is what operators built.
    </p>`
  );
}

function digestLines({ artifact, target, index }: ArtifactFacts): Html {
  return html`<dl class="facts">
    <dt>Published SHA-256</dt>
    <dd><code class="whole">${artifact.sha256}</code></dd>
    <dt>Published by</dt>
    <dd>${target.distribution}/${target.suite}, ${target.component}; ${artifact.sizeBytes} bytes</dd>
    <dt>Built from</dt>
    <dd>${packageLink(target.source)} ${target.version}${target.binNmu ?? ""} for ${target.architecture}</dd>
    <dt>Target</dt>
    <dd>log entry ${entryLink(index)}, which names the signed archive state that every build resolved from</dd>
  </dl>`;
}

function roundSection(facts: ArtifactFacts, round: RoundFacts): Html {
  const { round: drawn, ruling, policy } = round;
  const needed = policy && `${policy.threshold} of ${policy.committeeSize} had to agree`;
  return html`<section class="round" data-round="${round.id}">
    <h2>Who says what${facts.rounds.length > 1 && `, attempt ${drawn.attempt}`}</h2>
    <p>
      ${drawn.committee.length} operators were drawn from the hash of a witnessed checkpoint (log entry
      ${entryLink(round.index)})${needed && `; ${needed}`}.
      ${ruling && ruling.verdict.reason !== undefined && html`<br />${ruling.verdict.reason}`}
    </p>
    ${agreementGrid(facts, round)} ${resultsSection(facts, round)}
  </section>`;
}
