/**
 * A time as rebuilderd's clients read it: UTC without saying so.
 *
 *     formatNaiveTime(new Date("2026-11-23T04:56:44.823Z")) === "2026-11-23T04:56:44.823"
 */
export function formatNaiveTime(time: Date): string {
  return time.toISOString().slice(0, -1);
}
