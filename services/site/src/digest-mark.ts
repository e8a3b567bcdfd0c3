import type { Sha256 } from "@quorate/protocol/digest";
import { type Html, html } from "@quorate/service/html";

const cells = 5;

/**
 * A digest as a small symmetric picture: equal digests have equal pictures, so that agreement is seen and not read. Whoever must be sure
 * compares the digits.
 */
export function digestMark(sha256: Sha256): Html {
  const bits = BigInt(`0x${sha256.slice(0, 16)}`);
  const squares = Array.from({ length: cells * 3 }, (_, at) => at)
    .filter((at) => (bits >> BigInt(at)) & 1n)
    .flatMap((at) => {
      const [column, row] = [Math.floor(at / cells), at % cells];
      return column === 2
        ? [[column, row]]
        : [
            [column, row],
            [cells - 1 - column, row],
          ];
    })
    .map(([column = 0, row = 0]) => `M${column} ${row}h1v1h-1z`);
  const hue = Number.parseInt(sha256.slice(16, 18), 16) % 8;
  return html`<svg class="digest-mark hue-${hue}" viewBox="0 0 5 5" aria-hidden="true"><path d="${squares.join("")}" /></svg>`;
}

/** The first digits with the picture; the whole digest for those who point at it or copy it. */
export function shortDigest(sha256: Sha256): Html {
  return html`<span class="digest" title="${sha256}">${digestMark(sha256)}<code>${sha256.slice(0, 8)}</code></span>`;
}
