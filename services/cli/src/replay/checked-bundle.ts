import { type Hash, hashBytes, hashFrom } from "@quorate/tlog/hash";
import type { CheckedEntry } from "@quorate/verdict/check-entry";

/** What one thread found out about the entries of a bundle, for another: a text and a piece of memory cost less than as many objects. */
export type CheckedBundle = { readonly said: string; readonly leaves: Uint8Array<ArrayBuffer> };

export function formatCheckedBundle(checked: readonly CheckedEntry[]): CheckedBundle {
  const leaves = new Uint8Array(checked.length * hashBytes);
  for (const [position, { leaf }] of checked.entries()) leaves.set(leaf, position * hashBytes);
  return { leaves, said: JSON.stringify(checked.map((entry) => ({ ...entry, leaf: undefined }))) };
}

/** The inverse of `formatCheckedBundle`. */
export function parseCheckedBundle({ said, leaves }: CheckedBundle): CheckedEntry[] {
  const checked = JSON.parse(said) as (CheckedEntry & { leaf: Hash })[];
  for (const [position, entry] of checked.entries()) {
    entry.leaf = hashFrom(leaves.subarray(position * hashBytes, (position + 1) * hashBytes));
  }
  return checked;
}
