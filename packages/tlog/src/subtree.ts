/** A complete subtree: the leaves from `index * 2^level` to `(index + 1) * 2^level`. Level 0 is one leaf. */
export type Subtree = { readonly level: number; readonly index: number };

/** The leaves from `start` up to and without `end`. */
export type LeafRange = { readonly start: number; readonly end: number };

/** An integer between 0 and 2^53 - 1: sizes and indices are exact numbers here. */
export function isTreeSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The largest power of two below `size`; `size` is at least 2. RFC 6962 §2.1 splits a tree there. */
export function splitOf(size: number): number {
  let split = 2 ** Math.floor(Math.log2(size));
  // Math.log2 is rounded: near a power of two it may be one off.
  while (split >= size) split /= 2;
  while (split * 2 < size) split *= 2;
  return split;
}

/**
 * The complete subtrees that make up a range, from left to right. `start` must be a place where RFC 6962 splits a tree,
 * so that each next subtree is smaller than the one before; their hashes are folded from the right.
 */
export function subtreesOf({ start, end }: LeafRange): Subtree[] {
  const subtrees: Subtree[] = [];
  let width = 1;
  while (width * 2 <= end - start) width *= 2;
  let position = start;
  for (; width >= 1; width /= 2) {
    if (position + width > end) continue;
    subtrees.push({ level: Math.log2(width), index: position / width });
    position += width;
  }
  return subtrees;
}

/**
 * Which ranges an inclusion proof hashes, from the leaf's sibling to the root's child (RFC 6962 §2.1.1).
 *
 * @throws RangeError unless 0 ≤ index < size
 */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  if (!isTreeSize(size) || !isTreeSize(index) || index >= size) {
    throw new RangeError(`proving inclusion: a tree of ${size} has no entry ${index}`);
  }
  const ranges: LeafRange[] = [];
  let range: LeafRange = { start: 0, end: size };
  while (range.end - range.start > 1) {
    const middle = range.start + splitOf(range.end - range.start);
    const [left, right] = [
      { start: range.start, end: middle },
      { start: middle, end: range.end },
    ];
    ranges.push(index < middle ? right : left);
    range = index < middle ? left : right;
  }
  return ranges.toReversed();
}

/**
 * Which ranges a consistency proof hashes (RFC 6962 §2.1.2), in order; none when the sizes are equal or the old tree is empty. The
 * first range ends where the old tree ends, unless the old tree is itself a complete subtree: then its root needs no proof.
 *
 * @throws RangeError unless 0 ≤ oldSize ≤ newSize
 */
export function consistencyRanges(oldSize: number, newSize: number): LeafRange[] {
  if (!isTreeSize(oldSize) || !isTreeSize(newSize) || oldSize > newSize) {
    throw new RangeError(`proving consistency: a tree of ${newSize} does not follow one of ${oldSize}`);
  }
  if (oldSize === 0) return [];
  const ranges: LeafRange[] = [];
  let range: LeafRange = { start: 0, end: newSize };
  while (range.end > oldSize) {
    const middle = range.start + splitOf(range.end - range.start);
    const [left, right] = [
      { start: range.start, end: middle },
      { start: middle, end: range.end },
    ];
    ranges.push(oldSize <= middle ? right : left);
    range = oldSize <= middle ? left : right;
  }
  if (range.start > 0) ranges.push(range);
  return ranges.toReversed();
}
