import type { ArtifactFacts } from "../artifact-facts.ts";
import { type Html, html } from "@quorate/service/html";

/** What a check in the browser goes through, in this order (browser/verification.ts). */
const steps: readonly { step: string; says: string }[] = [
  { step: "checkpoint", says: "The log signed the checkpoint, and a quorum of your witnesses cosigned it" },
  { step: "inclusion", says: "All evidence is in the log under that checkpoint" },
  { step: "signatures", says: "Every entry is signed by whom it must be: results by their operators, nobody for another" },
  { step: "verdict", says: "Recomputed from the evidence, the verdict is the one in the log" },
  { step: "page", says: "This page shows that verdict, and the digests that were signed" },
  { step: "operators", says: "Enough of the operators of your policy rebuilt this very file, bit for bit" },
];

/** How a reader checks a verdict: here, with the same code that everyone runs, or without this site. */
export function checkSection({ artifact, newest }: ArtifactFacts): Html | false {
  return (
    newest !== undefined &&
    html`<section class="check" id="check" data-sha256="${artifact.sha256}" data-round="${newest.round.id}">
      <h2>Check it yourself</h2>
      <div class="in-browser" hidden>
        <p class="answer" role="status"></p>
        <ol class="steps">
          ${steps.map(({ step, says }) => html`<li data-step="${step}">${says}</li>`)}
        </ol>
        <details>
          <summary>Under which policy: whom you trust</summary>
          <p>
            The log and its witnesses, the network's key, the operators that you believe, and how many of them must agree. What stands here
            at first is this network's own suggestion; it is yours to change, and your browser keeps what you change it to.
          </p>
          <textarea aria-label="Your policy" rows="12" spellcheck="false" autocomplete="off"></textarea>
          <p class="actions">
            <button type="button" class="again">Check again</button>
            <button type="button" class="forget">Take the suggestion</button>
          </p>
        </details>
        <p class="none">
          Your browser ran the code that the command line runs, as this site sent it. Whoever does not believe this site takes the proof,
          and a copy of Quorate from elsewhere:
        </p>
      </div>
      <p class="without-script">
        The proof holds the verdict, every signed result that it looked at, and where the log has each. It is checked without this site:
      </p>
      <pre><code>apt-get download ${artifact.package}:${artifact.architecture}=${artifact.version}
quorate verify ${artifact.file} --proof ${artifact.file}.proof.json --policy policy</code></pre>
      <p class="actions">
        <a class="button" href="/proof/${artifact.sha256}" download="${artifact.file}.proof.json">Download the proof</a>
        <a href="/policy" download="policy">A policy to begin with</a>
      </p>
    </section>`
  );
}
