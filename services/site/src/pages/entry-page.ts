import { formatStatement } from "@quorate/attestation/log-statement";
import { textOf } from "@quorate/protocol/utf8";
import { formatHash, type Hash } from "@quorate/tlog/hash";
import { leafHash } from "@quorate/tlog/merkle";
import { type Html, html } from "@quorate/service/html";
import type { Page } from "../page.ts";
import { type EntryStatement, entrySummary, readEntry } from "./entry-statement.ts";
import { entryPath } from "./links.ts";
import { proofPath } from "./proof-path.ts";

type Given = {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly proof: readonly Hash[];
  readonly size: number;
  readonly names: ReadonlyMap<string, string>;
};

/** One entry: what it says, its bytes, and how its hash leads to the checkpoint's root. */
export function entryPage({ index, bytes, proof, size, names }: Given): Page {
  const statement = readEntry(bytes);
  const summary = entrySummary(statement, (operator) => names.get(operator) ?? operator);
  const leaf = leafHash(bytes);
  return {
    title: `Entry ${index}`,
    description: `${statement.kind}: ${summary}`,
    section: "log",
    main: html`<p class="crumbs"><a href="/log">The log</a></p>
      <h1>Entry ${index}</h1>
      <p class="lead"><span class="kind ${statement.kind}">${statement.kind}</span> ${summary}</p>
      ${statementText(statement, bytes)}
      <section>
        <h2>Where it is in the tree</h2>
        <p>
          Hashed with its neighbours, step by step, the entry leads to the root that ${size} entries have and that the witnesses cosigned.
          Changing one bit of it would change every hash on the way.
        </p>
        ${proofPath({ index, size, leaf, proof })}
        <p>Leaf hash <code class="whole">${formatHash(leaf)}</code></p>
      </section>
      <p class="actions">
        ${index > 0 && html`<a class="button" href="${entryPath(index - 1)}">Entry ${index - 1}</a>`}
        ${index + 1 < size && html`<a class="button" href="${entryPath(index + 1)}">Entry ${index + 1}</a>`}
      </p>`,
  };
}

function statementText(statement: EntryStatement, bytes: Uint8Array): Html {
  const isStatement = statement.kind !== "record" && statement.kind !== "unreadable";
  const text = isStatement ? indented(textOf(formatStatement(statement))) : textOf(bytes);
  return html`<section>
    <h2>${isStatement ? "What is signed" : "Its bytes"}</h2>
    <pre class="wide" tabindex="0"><code>${text}</code></pre>
  </section>`;
}

function indented(json: string): string {
  return JSON.stringify(JSON.parse(json), null, 2);
}
