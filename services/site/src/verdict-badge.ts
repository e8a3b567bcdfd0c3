import { newestVersion } from "@quorate/debian/version";
import type { VerdictOutcome } from "@quorate/protocol/verdict";
import type { VerdictLine } from "@quorate/protocol/verdict-line";
import { html } from "@quorate/service/html";
import type { OutcomeCounts } from "./network-facts.ts";
import { grouped } from "./number-text.ts";
import { type Outcome, outcomes, totalCount, worstOf } from "./outcome.ts";

/** White on each of them, and each on white or black, can be read (WCAG 2.2, 1.4.3 and 1.4.11). */
const colours: Readonly<Record<Outcome, string>> = {
  reproduced: "#1a7f37",
  mismatch: "#c62828",
  unreproducible: "#96600a",
  failed: "#6a6f76",
  inconclusive: "#6a6f76",
  pending: "#6a6f76",
};

const label = "rebuilt by others";
const height = 20;
const letterWidth = 6.4;
const padding = 7;

/** What says most against the newest version among the newest verdicts on each of its builds; undefined when there is none. */
export function summaryOutcome(lines: readonly VerdictLine[]): Outcome | undefined {
  const newest = newestVersion(lines.map(({ version }) => version));
  const standing = new Map<string, VerdictOutcome>();
  for (const { distribution, suite, version, architecture, outcome } of lines) {
    if (version !== newest) continue;
    const build = `${distribution} ${suite} ${architecture}`;
    if (!standing.has(build)) standing.set(build, outcome);
  }
  return worstOf([...standing.values()]);
}

export function formatOutcomeBadge(outcome: Outcome | undefined): string {
  return formatBadge(outcome ?? "no verdict", new Map([[outcome ?? "pending", 1]]));
}

/** Of the targets that have a verdict; a share is never rounded up to all of them. */
export function formatSuiteBadge(counts: OutcomeCounts): string {
  const decided = new Map([...counts].filter(([outcome]) => outcome !== "pending"));
  const total = totalCount(decided);
  if (total === 0) return formatOutcomeBadge(undefined);
  return formatBadge(`${Math.floor((100 * (decided.get("reproduced") ?? 0)) / total)} % of ${grouped(total)}`, decided);
}

/** A picture of two texts, as wide on every machine; the second stands on the colours of what was counted. */
function formatBadge(said: string, counts: OutcomeCounts): string {
  const [left, right] = [label, said].map((text) => Math.round(text.length * letterWidth + 2 * padding));
  if (left === undefined || right === undefined) throw new RangeError("a badge has two parts");
  const text = (words: string, x: number, width: number) =>
    html`<text x="${x + padding}" y="14" textLength="${width - 2 * padding}" lengthAdjust="spacingAndGlyphs">${words}</text>`;
  const total = totalCount(counts);
  let x = left;
  const parts = outcomes.map((outcome) => {
    const width = (right * (counts.get(outcome) ?? 0)) / total;
    const part = width > 0 && html`<rect x="${x.toFixed(2)}" width="${width.toFixed(2)}" height="${height}" fill="${colours[outcome]}" />`;
    x += width;
    return part;
  });
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="${height}" role="img" aria-label="${label}: ${said}">
    <title>${label}: ${said}</title>
    <clipPath id="edge"><rect width="${left + right}" height="${height}" rx="3" /></clipPath>
    <g clip-path="url(#edge)">
      <rect width="${left}" height="${height}" fill="#4a4f57" />
      ${parts}
    </g>
    <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">${text(label, 0, left)}${text(said, left, right)}</g>
  </svg>`.toString();
}
