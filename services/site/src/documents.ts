import { readdir, readFile } from "node:fs/promises";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import MarkdownIt from "markdown-it";
import { type Html, html, trustedMarkup } from "@quorate/service/html";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const directories = ["", "docs/", "docs/predicates/", "docs/decisions/"];

/** A document of this repository: its path there, such as `docs/cli.md`, and its first heading. */
export type Document = { readonly file: string; readonly title: string };

/** The repository's documents, by directory. */
export async function listDocuments(): Promise<Document[]> {
  const files = await Promise.all(
    directories.map(async (directory) =>
      (await readdir(`${root}${directory}`)).filter((name) => name.endsWith(".md")).map((name) => `${directory}${name}`),
    ),
  );
  return Promise.all(
    files.flat().map(async (file) => {
      const [, title = file] = /^# (.+)$/m.exec(await readFile(`${root}${file}`, "utf8")) ?? [];
      return { file, title };
    }),
  );
}

/** Markup of a document of the list. Raw markup in it is shown as text. */
export async function renderDocument({ file }: Document, known: ReadonlySet<string>): Promise<Html> {
  const tokens = markdown.parse(await readFile(`${root}${file}`, "utf8"), {});
  for (const [at, token] of tokens.entries()) {
    if (token.type === "heading_open") token.attrSet("id", anchorOf(tokens[at + 1]?.content ?? ""));
    if (token.type === "th_open" && tokens[at + 1]?.content === "") {
      // A heading that says nothing is none.
      for (const tag of [token, tokens[at + 2]]) if (tag) tag.tag = "td";
    }
    for (const child of token.children ?? []) if (child.type === "link_open") leadOn(child, file, known);
  }
  return trustedMarkup(markdown.renderer.render(tokens, markdown.options, {}));
}

export function documentPath(file: string): string {
  return `/docs/${file.replace(/^docs\//, "").replace(/\.md$/, "")}`;
}

const markdown = new MarkdownIt({ html: false, linkify: false });

// What may be wider than the page scrolls, and can be reached with the keyboard.
for (const block of ["fence", "code_block"]) {
  markdown.renderer.rules[block] = (tokens, at) => html`<pre tabindex="0"><code>${tokens[at]?.content}</code></pre>`.toString();
}
markdown.renderer.rules["table_open"] = () => '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>';
markdown.renderer.rules["table_close"] = () => "</table></div>";

type Token = ReturnType<typeof markdown.parse>[number];

/** As other places that show Markdown name the anchors of headings. */
function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replaceAll(/[^\p{L}\p{N} -]/gu, "");
  return words.replaceAll(" ", "-");
}

/** Makes a link to another document lead to its page here, and one to a file that is not shown lead nowhere. */
function leadOn(link: Token, from: string, known: ReadonlySet<string>): void {
  const href = String(link.attrGet("href"));
  if (/^(?:https?:|#)/.test(href)) return;
  const path = siteLink(from, href, known);
  if (path === undefined) link.attrs = null;
  else link.attrSet("href", path);
}

/** Where a link between documents leads on this site; undefined for files that it does not show. */
function siteLink(from: string, href: string, known: ReadonlySet<string>): string | undefined {
  const [path = "", fragment] = href.split("#");
  const file = posix.join(posix.dirname(from), path);
  const document = [file, posix.join(file, "README.md")].find((candidate) => known.has(candidate));
  return document === undefined ? undefined : `${documentPath(document)}${fragment === undefined ? "" : `#${fragment}`}`;
}
