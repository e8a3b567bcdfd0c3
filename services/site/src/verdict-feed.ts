import { packageNameSchema } from "@quorate/protocol/names";
import type { OperatorId } from "@quorate/protocol/operator";
import { type VerdictLine, verdictLineSchema } from "@quorate/protocol/verdict-line";
import type { SQLInputValue } from "node:sqlite";
import { html } from "@quorate/service/html";
import { entryPath } from "./pages/links.ts";
import type { ReadModel } from "./read-model.ts";

/** The newest verdicts on one thing. */
export type VerdictFeed = {
  readonly title: string;
  readonly path: string;
  /** Of the site, in front of every path. */
  readonly siteUrl: string;
  /** The log's. */
  readonly origin: string;
  readonly lines: readonly VerdictLine[];
};

const listedLines = 50;

/** Of a source or binary package. */
export function listPackageVerdicts(model: ReadModel, name: string): VerdictLine[] {
  const indices = `SELECT verdict.log_index FROM artifact JOIN verdict ON verdict.target = artifact.target WHERE artifact.package = ?1 OR artifact.source = ?1`;
  return packageNameSchema.safeParse(name).success ? linesOf(model, `WHERE log_index IN (${indices})`, name) : [];
}

export function listSuiteVerdicts(model: ReadModel, distribution: string, suite: string): VerdictLine[] {
  return linesOf(model, "WHERE distribution = ? AND suite = ?", distribution, suite);
}

/** Those that looked at a result of the operator, or found that it never revealed one. */
export function listOperatorVerdicts(model: ReadModel, operator: OperatorId): VerdictLine[] {
  return linesOf(model, "JOIN participation ON participation.verdict_index = log_index WHERE participation.operator = ?", operator);
}

function linesOf(model: ReadModel, condition: string, ...values: SQLInputValue[]): VerdictLine[] {
  return model
    .prepare(`SELECT line FROM verdict_line ${condition} ORDER BY log_index DESC LIMIT ${listedLines}`)
    .all(...values)
    .map(({ line }) => verdictLineSchema.parse(JSON.parse(String(line))));
}

/** Atom (RFC 4287). */
export function formatAtomFeed({ title, path, siteUrl, origin, lines }: VerdictFeed): string {
  return `<?xml version="1.0" encoding="utf-8"?>\n${html`<feed xmlns="http://www.w3.org/2005/Atom">
    <id>${idOf(origin, path)}</id>
    <title>${title}</title>
    <updated>${lines[0]?.decidedAt ?? "1970-01-01T00:00:00Z"}</updated>
    <author><name>${origin}</name></author>
    <link rel="self" href="${siteUrl}${path}/atom" />
    <link rel="alternate" type="text/html" href="${siteUrl}${pagePathOf(path)}" />
    ${lines.map(
      (line) =>
        html`<entry>
          <id>${idOf(origin, entryPath(line.index))}</id>
          <title>${titleOf(line)}</title>
          <updated>${line.decidedAt}</updated>
          <link rel="alternate" type="text/html" href="${siteUrl}${entryPath(line.index)}" />
          <category term="${line.outcome}" />
          <summary>${summaryOf(line)}</summary>
        </entry>`,
    )}
  </feed>`.toString()}\n`;
}

/** JSON Feed 1.1. */
export function formatJsonFeed({ title, path, siteUrl, origin, lines }: VerdictFeed): string {
  return JSON.stringify({
    version: "https://jsonfeed.org/version/1.1",
    title,
    home_page_url: `${siteUrl}${pagePathOf(path)}`,
    feed_url: `${siteUrl}${path}/json`,
    items: lines.map((line) => ({
      id: idOf(origin, entryPath(line.index)),
      url: `${siteUrl}${entryPath(line.index)}`,
      title: titleOf(line),
      content_text: summaryOf(line),
      date_published: line.decidedAt,
      tags: [line.outcome],
      _verdict: line,
    })),
  });
}

/** The page of what the feed is about. */
const pagePathOf = (path: string): string => path.replace("/v1/feeds", "");

/** A tag URI (RFC 4151): the same wherever the site is. */
const idOf = (origin: string, path: string): string => `tag:quorate.dev,2026:${encodeURI(origin)}${encodeURI(path)}`;

const titleOf = ({ outcome, source, version, architecture, distribution, suite }: VerdictLine): string =>
  `${outcome}: ${source} ${version} (${architecture}) in ${distribution}/${suite}`;

function summaryOf({ reason, dissent, artifacts }: VerdictLine): string {
  const said = artifacts.map(({ file, outcome }) => `${file} ${outcome}`).join(", ");
  return [reason, said, dissent.length > 0 && `dissenting: ${dissent.join(", ")}`].filter(Boolean).join("; ");
}
