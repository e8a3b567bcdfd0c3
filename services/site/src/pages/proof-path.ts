import { formatHash, type Hash } from "@quorate/tlog/hash";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { inclusionRanges } from "@quorate/tlog/subtree";
import { type Html, html } from "@quorate/service/html";

const rowHeight = 46;
const centre = 210;
const aside = 150;
const box = { width: 132, height: 28 };

type Given = { readonly index: number; readonly size: number; readonly leaf: Hash; readonly proof: readonly Hash[] };

/** An inclusion proof as a path up the tree: at each step the hash so far, and the neighbour that it is hashed with. */
export function proofPath({ index, size, leaf, proof }: Given): Html {
  const ranges = inclusionRanges(index, size);
  let hash = leaf;
  const steps = proof.map((sibling, at) => {
    const { start, end } = ranges[at] ?? { start: 0, end: 0 };
    const isRight = start > index;
    const step = { hash, sibling, isRight, covers: end - start === 1 ? `entry ${start}` : `entries ${start} to ${end - 1}` };
    hash = isRight ? portableHasher.node(hash, sibling) : portableHasher.node(sibling, hash);
    return step;
  });
  const height = (steps.length + 1) * rowHeight;
  const yOf = (step: number) => height - (step + 1) * rowHeight + 8;
  return html`<svg
    class="proof-path"
    viewBox="0 0 420 ${height}"
    role="img"
    aria-label="Inclusion proof of entry ${index}: ${steps.length} hashes lead to the root of ${size} entries"
  >
    ${steps.map(({ isRight }, step) => edges(yOf(step), yOf(step + 1), isRight ? centre + aside : centre - aside))}
    ${steps.map(({ hash: own, sibling, isRight, covers }, step) => {
      const x = isRight ? centre + aside : centre - aside;
      return html`${node({ x: centre, y: yOf(step), kind: step === 0 ? "leaf" : "own", hash: own, label: step === 0 ? `entry ${index}` : "" })}
      ${node({ x: Math.min(Math.max(x, 66), 354), y: yOf(step), kind: "sibling", hash: sibling, label: covers })}`;
    })}
    ${node({ x: centre, y: yOf(steps.length), kind: "root", hash, label: "root" })}
  </svg>`;
}

function edges(from: number, to: number, siblingX: number): Html {
  const [bottom, top] = [from, to + box.height];
  return html`<path class="edge own" d="M${centre} ${bottom}V${top}" /><path class="edge" d="M${siblingX} ${bottom}L${centre} ${top}" />`;
}

function node({ x, y, kind, hash, label }: { x: number; y: number; kind: string; hash: Hash; label: string }): Html {
  return html`<g class="node ${kind}">
    <title>${formatHash(hash)}</title>
    <rect x="${x - box.width / 2}" y="${y}" width="${box.width}" height="${box.height}" rx="5" />
    <text x="${x}" y="${y + 12}">${label}</text>
    <text class="hash" x="${x}" y="${y + (label === "" ? 18 : 23)}">${formatHash(hash).slice(0, 12)}…</text>
  </g>`;
}
