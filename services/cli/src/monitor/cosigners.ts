import type { Witnessed } from "@quorate/tlog/tlog-policy";

/** How far a witness is known to have come: the largest checkpoint it cosigned, and when it last did (seconds since 1970). */
export type Cosigner = { readonly size: number; readonly time: number };

/** What a monitor remembers of the witnesses: sizes of the log's newest checkpoints, and each witness by its name in the policy. */
export type Cosigners = { readonly sizes: readonly number[]; readonly witnesses: ReadonlyMap<string, Cosigner> };

/** A checkpoint that was just shown somewhere, and who cosigned it. */
export type Shown = { readonly size: number; readonly isLogs: boolean; readonly witnesses: readonly Witnessed[] };

/** A log waits for its quorum only: one checkpoint without a witness, or two, say nothing of it. */
export const checkpointsUntilLagging = 3;

/** What is known after another look. A witness that was never seen to cosign counts as if it had when it was first looked for. */
export function addShown(known: Cosigners, shown: readonly Shown[], policyWitnesses: readonly string[]): Cosigners {
  const newest = newestTime(known, shown);
  const witnesses = policyWitnesses.map((name): [string, Cosigner] => {
    const cosigned = shown.flatMap(({ size, witnesses: by }) => by.flatMap((one) => (one.name === name ? [{ size, time: one.time }] : [])));
    const all = [known.witnesses.get(name) ?? { size: 0, time: newest }, ...cosigned];
    return [name, { size: Math.max(...all.map(({ size }) => size)), time: Math.max(...all.map(({ time }) => time)) }];
  });
  const sizes = [...known.sizes, ...shown.filter(({ isLogs }) => isLogs).map(({ size }) => size)];
  return { sizes: [...new Set(sizes)].slice(-checkpointsUntilLagging), witnesses: new Map(witnesses) };
}

/**
 * Witnesses that are behind the others, and by how much. A log that nobody has cosigned lately has other troubles: what counts is the distance
 * to the newest cosignature of any witness.
 */
export function findLagging({ sizes, witnesses }: Cosigners, freshnessSeconds: number): { name: string; reason: string }[] {
  const newest = Math.max(...[...witnesses.values()].map(({ time }) => time));
  const smallest = Math.min(...sizes);
  return [...witnesses].flatMap(([name, { size, time }]) => {
    if (sizes.length === checkpointsUntilLagging && size < smallest) {
      const last = size === 0 ? "none was seen" : `the last one that was seen is of ${size} entries`;
      return [
        { name, reason: `its cosignature is missing from the last ${sizes.length} checkpoints (${sizes.join(", ")} entries); ${last}` },
      ];
    }
    if (newest - time <= freshnessSeconds) return [];
    return [{ name, reason: `its newest cosignature is ${newest - time} s older than the newest of another witness` }];
  });
}

function newestTime({ witnesses }: Cosigners, shown: readonly Shown[]): number {
  const times = [...[...witnesses.values()].map(({ time }) => time), ...shown.flatMap((one) => one.witnesses.map(({ time }) => time))];
  return Math.max(0, ...times);
}
