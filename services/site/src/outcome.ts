import type { VerdictOutcome } from "@quorate/protocol/verdict";
import { type Html, html, trustedMarkup } from "@quorate/service/html";

/** What is known of a target: the outcome of its newest verdict, or that there is none yet. */
export type Outcome = VerdictOutcome | "pending";

/** From what speaks for a package to what says most against it. */
export const outcomes: readonly Outcome[] = ["reproduced", "inconclusive", "failed", "unreproducible", "mismatch", "pending"];

/** Of several, what says most against the package. */
export function worstOf(found: readonly VerdictOutcome[]): Outcome | undefined {
  return outcomes.findLast((outcome) => found.some((one) => one === outcome));
}

/** All of them together. */
export function totalCount(counts: ReadonlyMap<Outcome, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

export const outcomeMeaning: Readonly<Record<Outcome, string>> = {
  reproduced: "enough operators got exactly the published bytes",
  mismatch: "enough operators agree on bytes that are not the published ones",
  unreproducible: "every operator answered, and too few of them agree",
  failed: "enough operators signed that the build fails",
  inconclusive: "the deadline passed before enough operators said the same",
  pending: "no verdict yet",
};

/** Shape and word say it as well as the colour does. */
const shapes: Readonly<Record<Outcome, string>> = {
  reproduced: '<path d="M3 8.5 6.5 12 13 4.5"/>',
  mismatch: '<path d="M3 6h10M3 10h10M11 2.5 5 13.5"/>',
  unreproducible: '<path d="M8 2.5v6.5M8 12v1.5"/>',
  failed: '<path d="m4 4 8 8m0-8-8 8"/>',
  inconclusive: '<path d="M5.5 5.5a2.5 2.5 0 1 1 3.6 2.2C8.3 8.1 8 8.7 8 9.5M8 12v1.2"/>',
  pending: '<circle cx="8" cy="8" r="6"/><path d="M8 4.8V8l2.2 1.6"/>',
};

export function outcomeIcon(outcome: Outcome): Html {
  return trustedMarkup(`<svg class="outcome-icon" viewBox="0 0 16 16" aria-hidden="true">${shapes[outcome]}</svg>`);
}

export function outcomeBadge(outcome: Outcome): Html {
  return html`<span class="badge ${outcome}">${outcomeIcon(outcome)}${outcome}</span>`;
}

/** How many targets came out how, as one bar; the words follow it. */
export function outcomeBar(counts: ReadonlyMap<Outcome, number>): Html {
  const total = totalCount(counts);
  let x = 0;
  const parts = outcomes.flatMap((outcome) => {
    const width = total === 0 ? 0 : ((counts.get(outcome) ?? 0) / total) * 100;
    const part = html`<rect class="${outcome}" x="${x.toFixed(3)}" width="${width.toFixed(3)}" height="4" />`;
    x += width;
    return width === 0 ? [] : [part];
  });
  return html`<svg class="outcome-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>`;
}

export function outcomeCounts(counts: ReadonlyMap<Outcome, number>): Html {
  return html`<ul class="counts">
    ${outcomes.flatMap((outcome) => {
      const count = counts.get(outcome) ?? 0;
      return count === 0 ? [] : [html`<li class="${outcome}">${outcomeIcon(outcome)}<b>${count}</b> ${outcome}</li>`];
    })}
  </ul>`;
}
