import { type Content, type Html, html } from "@quorate/service/html";
import { outcomes, totalCount } from "../outcome.ts";
import type { SuiteDay } from "../suite-facts.ts";

const width = 600;
const height = 120;
const shownDays = 120;
const widestColumn = 30;

/** How a suite stood day by day, as stacked columns; the words are in the table that can be taken away. */
export function dayChart(days: readonly SuiteDay[]): Html {
  const shown = days.slice(-shownDays);
  const most = Math.max(1, ...shown.map(({ counts }) => totalCount(counts)));
  const column = Math.min(width / shown.length, widestColumn);
  const columns = shown.map(({ counts }, at) => {
    let below = 0;
    return outcomes.map((outcome) => {
      const size = ((counts.get(outcome) ?? 0) / most) * height;
      below += size;
      return size === 0
        ? ""
        : `M${(at * column).toFixed(1)} ${(height - below).toFixed(1)}h${(column * 0.92).toFixed(1)}v${size.toFixed(1)}h-${(column * 0.92).toFixed(1)}z`;
    });
  });
  return chart({
    label: `Targets by outcome, day by day; at most ${most}`,
    paths: outcomes.map((outcome, at) => html`<path class="${outcome}" d="${columns.map((parts) => parts[at]).join("")}" />`),
    caption: `${shown.length} days with verdicts, from ${shown[0]?.day} to ${shown.at(-1)?.day}`,
  });
}

/** A number that only grows, day by day, as a line over its paper. */
export function growthChart(points: readonly { readonly day: string; readonly size: number }[]): Html {
  const shown = points.slice(-shownDays);
  const most = Math.max(1, ...shown.map(({ size }) => size));
  const step = width / Math.max(1, shown.length - 1);
  const line = shown.map(({ size }, at) => `L${(at * step).toFixed(1)} ${(height - (size / most) * height).toFixed(1)}`).join("");
  return chart({
    label: `Entries of the log, day by day; ${most} at the end`,
    paths: html`<path class="growth" d="M0 ${height}${line}L${width} ${height}z" />`,
    caption: `from ${shown[0]?.day} to ${shown.at(-1)?.day}`,
  });
}

function chart({ label, paths, caption }: { label: string; paths: Content; caption: string }): Html {
  return html`<figure class="chart">
    <svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}">${paths}</svg>
    <figcaption>${caption}</figcaption>
  </figure>`;
}
