import { type Document, documentPath } from "../documents.ts";
import { html, type Html } from "@quorate/service/html";
import type { Page } from "../page.ts";

export function documentPage({ title }: Document, content: Html): Page {
  return {
    title,
    description: `${title}: from the documents of Quorate.`,
    section: "docs",
    main: html`<p class="crumbs"><a href="/docs">Documents</a></p>
      <article class="document">${content}</article>`,
  };
}

const groups: readonly { heading: string; pattern: RegExp }[] = [
  { heading: "To begin with", pattern: /^(?:[^/]+|docs\/[^/]+)$/ },
  { heading: "Signed statements, field by field", pattern: /^docs\/predicates\// },
  { heading: "Decisions", pattern: /^docs\/decisions\// },
];

export function documentsPage(documents: readonly Document[]): Page {
  return {
    title: "Documents",
    description: "How Quorate works, how to check it, how to run it, and why it is as it is.",
    section: "docs",
    main: html`<h1>Documents</h1>
      <p><a href="/docs/api">API reference</a></p>
      ${groups.map(
        ({ heading, pattern }) =>
          html`<h2>${heading}</h2>
            <ul>
              ${documents
                .filter(({ file }) => pattern.test(file))
                .map(({ file, title }) => html`<li><a href="${documentPath(file)}">${title}</a></li>`)}
            </ul>`,
      )}`,
  };
}
