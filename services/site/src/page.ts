import type { AssetUrls, Script } from "./assets.ts";
import { type Content, type Html, html, trustedMarkup } from "@quorate/service/html";
import type { SiteState } from "./site-state.ts";

/** What one page has to show; the rest of every page is the same. */
export type Page = {
  readonly status?: number;
  readonly title: string;
  /** One sentence for search engines and for previews of links. */
  readonly description: string;
  /** Which part of the site it belongs to. */
  readonly section?: Section;
  readonly main: Html;
  /** Where verdicts on what it shows can be followed: `/v1/feeds/…`, without the format. */
  readonly feed?: string | undefined;
  /** It holds what may be otherwise in a moment: it is not kept until the log grows. */
  readonly isMomentary?: boolean;
  /** Make the page do more; it is whole without them. */
  readonly scripts?: readonly Script[];
};

export type Section = "search" | "suites" | "operators" | "log" | "live" | "docs";

const sections: readonly { section: Section; path: string; name: string }[] = [
  { section: "suites", path: "/suites", name: "Suites" },
  { section: "operators", path: "/operators", name: "Operators" },
  { section: "log", path: "/log", name: "Log" },
  { section: "live", path: "/live", name: "Live" },
  { section: "docs", path: "/docs", name: "Docs" },
];

const feedFormats = [
  { path: "atom", type: "application/atom+xml", name: "Atom" },
  { path: "json", type: "application/feed+json", name: "JSON Feed" },
] as const;

/** The whole document. */
export function formatPage(page: Page, { state, assets }: { state: SiteState; assets: AssetUrls }): string {
  const { title, description, section, main, feed, scripts = [] } = page;
  return html`${trustedMarkup("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Quorate</title>
        <meta name="description" content="${description}" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" type="image/svg+xml" href="${assets.icon}" />
        <link rel="stylesheet" href="${assets.style}" />
        ${feed !== undefined && feedFormats.map(({ path, type, name }) => html`<link rel="alternate" type="${type}" title="Verdicts (${name})" href="${feed}/${path}" />`)}
        ${["suggest-pages" as const, ...scripts].map((script) => html`<script type="module" src="${assets.scripts[script]}"></script>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="bar">
          <a class="brand" href="/">${brandMark}<span>Quorate</span></a>
          ${section === "search" ? "" : searchForm("bar")}
          <nav aria-label="Site">
            ${sections.map(
              ({ section: own, path, name }) =>
                html`<a href="${path}" ${own === section && trustedMarkup('aria-current="page"')}>${name}</a>`,
            )}
          </nav>
        </header>
        <main id="main">${main} ${feed !== undefined && feedLinks(feed)}</main>
        ${footer(state)}
      </body>
    </html> `.toString();
}

function feedLinks(feed: string): Html {
  return html`<p class="actions">
    Follow new verdicts: ${feedFormats.map(({ path, name }) => html` <a href="${feed}/${path}">${name}</a>`)}
  </p>`;
}

export function searchForm(place: "bar" | "home", query = ""): Html {
  return html`<form class="search ${place}" action="/search" role="search">
    <input
      name="q"
      type="search"
      aria-label="Package, file name, SHA-256, operator or log index"
      placeholder="${place === "home" ? "package, .deb file name, SHA-256 …" : "Search"}"
      value="${query}"
      maxlength="400"
      autocomplete="off"
      autocapitalize="off"
      spellcheck="false"
      ${place === "home" && trustedMarkup("required")}
    /><button>Look up</button>
  </form>`;
}

function footer({ origin, size, treeSize, witnesses, unreachableSince }: SiteState): Html {
  const names = witnesses.map(({ name }) => name).join(", ");
  const read: Content =
    size === 0
      ? "Nothing of the log has been read yet."
      : html`Every fact here is an entry of the log <a href="/log">${origin}</a>, read up to entry ${size - 1} under a checkpoint cosigned
          by ${names}.${size < treeSize && ` The log has ${treeSize} entries, and this site is still reading them.`}`;
  return html`<footer>
    ${
      unreachableSince &&
      html`<p class="stale" role="status">
        The log could not be read since ${timeText(unreachableSince)}: this page shows what was read before.
      </p>`
    }
    <p>${read}</p>
    <p>
      This site has no say in any verdict: <a href="/docs/README#ask-and-check">check it yourself</a>. Submit for a project?
      <a href="/project">See what came of it</a>.
    </p>
  </footer>`;
}

/** As `2026-11-25 14:05 UTC`, readable by machines too. */
export function timeText(time: Date): Html {
  const iso = time.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;
}

/** How long ago, in the largest unit of which there are two: `3 min ago`. */
export function ageText(seconds: number): string {
  const units = [
    ["days", 86_400],
    ["h", 3600],
    ["min", 60],
  ] as const;
  const [unit, length] = units.find(([, unitSeconds]) => seconds >= 2 * unitSeconds) ?? ["s", 1];
  return `${Math.max(0, Math.floor(seconds / length))} ${unit} ago`;
}

const brandMark = trustedMarkup(
  '<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><circle cx="11" cy="12" r="7"/><circle cx="21" cy="12" r="7"/><circle cx="16" cy="20" r="7"/></svg>',
);
