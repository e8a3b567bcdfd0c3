import type { Sha256 } from "@quorate/protocol/digest";
import type { Target } from "@quorate/protocol/target";
import type { ArtifactFacts, RoundFacts } from "../artifact-facts.ts";
import { shortDigest } from "../digest-mark.ts";
import { type Html, html } from "@quorate/service/html";
import { outcomeBadge } from "../outcome.ts";
import { entryLink } from "./links.ts";

/** From what the distribution signed to what witnesses cosigned: each link holds the digest of the one before it. */
export function chainSection(facts: ArtifactFacts): Html {
  const { target, index, rounds } = facts;
  return html`<section>
    <h2>From the distribution's signature to the log</h2>
    <p>Each link names the one before it by its SHA-256, so none can be exchanged without breaking those after it.</p>
    <ol class="chain">
      ${archiveLinks(target)}
      <li>
        <b>Target</b>
        <span>log entry ${entryLink(index)}: rebuild these sources, from this archive state</span>
      </li>
      ${rounds.slice(0, 1).map(roundLinks)}
      <li>
        <b>Checkpoint</b>
        <span><a href="/log">signed by the log and cosigned by its witnesses</a></span>
      </li>
    </ol>
  </section>`;
}

function archiveLinks({ distribution, suite, environment, files }: Target): Html {
  const pin = environment.suites.find((one) => one.suite === suite) ?? environment.suites[0];
  const dsc = files.find(({ name }) => name.endsWith(".dsc"));
  return html`${
      pin &&
      html`<li class="signed">
          <b>InRelease</b>
          <span>of ${distribution}/${pin.suite}, signed by the distribution ${shortDigest(pin.inReleaseSha256)}</span>
        </li>
        <li>
          <b>Indices</b>
          ${digestList(pin.indices.map(({ path, sha256 }) => ({ name: path, sha256 })))}
        </li>`
    }
    <li>
      <b>Sources</b>
      ${digestList(dsc === undefined ? files : [dsc, ...files.filter((file) => file !== dsc)])}
    </li>`;
}

function roundLinks({ round, index, commitments, results, ruling }: RoundFacts): Html {
  return html`<li>
      <b>Committee</b>
      <span
        >log entry ${entryLink(index)}: drawn from the checkpoint of ${round.seed.size} entries ${shortDigest(round.seed.rootSha256)}</span
      >
    </li>
    ${linkOf("Commitments", commitments, "what each operator will say, before it sees the others'")}
    ${linkOf("Results", results, "what came out, each signed by its operator alone")}
    ${
      ruling &&
      html`<li>
        <b>Verdict</b>
        <span>log entry ${entryLink(ruling.index)}: ${outcomeBadge(ruling.verdict.outcome)}</span>
      </li>`
    }`;
}

function linkOf(name: string, entries: readonly { readonly index: number }[], says: string): Html | false {
  return (
    entries.length > 0 &&
    html`<li>
      <b>${name}</b>
      <span>log entries ${entries.map(({ index }, at) => html`${at > 0 && ", "}${entryLink(index)}`)}: ${says}</span>
    </li>`
  );
}

function digestList(files: readonly { readonly name: string; readonly sha256: Sha256 }[]): Html {
  const [first, ...others] = files;
  if (first === undefined) return html`<span>none</span>`;
  const line = ({ name, sha256 }: typeof first) => html`${name} ${shortDigest(sha256)}`;
  if (others.length === 0) return html`<span>${line(first)}</span>`;
  return html`<details>
    <summary>${line(first)} and ${others.length} more</summary>
    <ul class="plain">
      ${others.map((file) => html`<li>${line(file)}</li>`)}
    </ul>
  </details>`;
}
