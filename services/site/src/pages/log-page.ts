import { html } from "@quorate/service/html";
import { grouped } from "../number-text.ts";
import { ageText, type Page, timeText } from "../page.ts";
import type { SiteState } from "../site-state.ts";
import { growthChart } from "./day-charts.ts";
import { entrySummary, readEntry } from "./entry-statement.ts";
import { entryLink } from "./links.ts";

type Given = {
  readonly state: SiteState;
  readonly entries: readonly { readonly index: number; readonly bytes: Uint8Array }[];
  readonly names: ReadonlyMap<string, string>;
  readonly days: readonly { readonly day: string; readonly size: number }[];
  readonly now: Date;
};

/** The newest checkpoint, who cosigned it, and entries from some index back. */
export function logPage({ state, entries, names, days, now }: Given): Page {
  const { origin, size, treeSize, checkpoint, witnesses } = state;
  const nameOf = (operator: string) => names.get(operator) ?? operator;
  const last = entries.at(-1)?.index ?? 0;
  return {
    title: "The log",
    description: "Everything that the network says is an entry of this log, which witnesses cosign.",
    section: "log",
    // Cosignatures grow older.
    isMomentary: true,
    main: html`<h1>The log</h1>
      <p>
        Policies, operators, rounds, commitments, results and verdicts: whatever the network says is an entry here. Nothing is ever taken
        out or changed unseen, because witnesses that others may run cosign each state of it.
      </p>
      <section class="checkpoint">
        <h2>Checkpoint</h2>
        <dl class="facts">
          <dt>Log</dt>
          <dd>${origin}</dd>
          <dt>Entries</dt>
          <dd>${grouped(treeSize)}${size < treeSize && `, of which this site has read ${grouped(size)}`}</dd>
          <dt>Cosigned by</dt>
          <dd>
            <ul class="plain">
              ${witnesses.map(({ name, time }) => html`<li>${name}, ${timeText(new Date(time * 1000))} <small>${ageText(now.getTime() / 1000 - time)}</small></li>`)}
            </ul>
          </dd>
        </dl>
        <details>
          <summary>The signed note</summary>
          <pre class="wide" tabindex="0"><code>${checkpoint}</code></pre>
        </details>
      </section>
      ${
        days.length > 1 &&
        html`<section>
          <h2>Growth</h2>
          ${growthChart(days)}
        </section>`
      }
      <section>
        <h2>Entries</h2>
        <table class="list entries">
          <thead>
            <tr>
              <th scope="col">Index</th>
              <th scope="col">Kind</th>
              <th scope="col">Says</th>
            </tr>
          </thead>
          <tbody>
            ${entries.map(({ index, bytes }) => {
              const statement = readEntry(bytes);
              return html`<tr>
                <th scope="row">${entryLink(index)}</th>
                <td><span class="kind ${statement.kind}">${statement.kind}</span></td>
                <td>${entrySummary(statement, nameOf)}</td>
              </tr>`;
            })}
          </tbody>
        </table>
        ${last > 0 && html`<p class="actions"><a class="button" href="/log?before=${last}">Older entries</a></p>`}
      </section>`,
  };
}
