import { nodeHasher } from "@quorate/signing/node-hasher";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { formatHash } from "@quorate/tlog/hash";
import { MerkleFrontier } from "@quorate/tlog/merkle";

/** What writers were told by a log: the text at each index, and checkpoints. */
export class Acknowledged {
  readonly entries = new Map<number, string>();
  readonly #checkpoints = new Map<number, Checkpoint>();
  readonly #twice: string[] = [];

  note(index: number, text: string, checkpoint: Checkpoint | undefined): void {
    const earlier = this.entries.get(index);
    if (earlier !== undefined && earlier !== text) this.#twice.push(`index ${index} was given to "${earlier}" and to "${text}"`);
    this.entries.set(index, text);
    if (checkpoint !== undefined) this.#checkpoints.set(checkpoint.size, checkpoint);
  }

  /** Sizes of the checkpoints. */
  get sizes(): number[] {
    return [...this.#checkpoints.keys()];
  }

  /** Where a log's entries are not what was said: other bytes at an index, or a checkpoint that is no prefix of them. */
  contradictions(entries: readonly Uint8Array[]): string[] {
    const texts = entries.map((entry) => Buffer.from(entry).toString());
    const moved = Array.from(this.entries).filter(([index, text]) => texts[index] !== text);
    const frontier = MerkleFrontier.empty(nodeHasher);
    const roots = new Map<number, string>([[0, formatHash(frontier.root())]]);
    for (const entry of entries) {
      frontier.append(nodeHasher.leaf(entry));
      roots.set(frontier.size, formatHash(frontier.root()));
    }
    const forked = Array.from(this.#checkpoints.values()).filter(({ size, root }) => roots.get(size) !== formatHash(root));
    return [
      ...this.#twice,
      ...moved.map(([index, text]) => `index ${index} was "${text}" and is "${texts[index]}"`),
      ...forked.map(({ size }) => `the checkpoint of size ${size} is not of a prefix`),
    ];
  }
}
