import { type Html, html } from "@quorate/service/html";
import { type Page, searchForm } from "../page.ts";
import { packageLink } from "./links.ts";

/** A search that leads to no one page: what it may have meant, or why there is nothing. */
export function searchPage({ query, names, reason }: { query: string; names: readonly string[]; reason?: string }): Page {
  const shown = query.length > 80 ? `${query.slice(0, 80)}…` : query;
  const found: Html =
    names.length > 0
      ? html`<p>Packages whose names begin so:</p>
          <ul class="names">
            ${names.map((name) => html`<li>${packageLink(name)}</li>`)}
          </ul>`
      : html`<p class="notice">
          Nothing is known of this here${reason !== undefined && `: ${reason}`}. The network knows what was submitted to it; a project
          submits with <code>quorate submit</code>.
        </p>`;
  return {
    status: names.length > 0 ? 200 : 404,
    title: `Search: ${shown}`,
    description: "Search for a package, a file, a digest, an operator or a log entry.",
    section: "search",
    main: html`<h1>Search</h1>
      ${searchForm("home", query.slice(0, 400))} ${found}`,
  };
}
