import { formatDuration } from "./duration.ts";

/** How long the past is that the rate is taken from: the beginning of the work, or another load of the machine, says little of what follows. */
const windowMilliseconds = 20_000;

/** Says of counted work how far it is, how fast it went lately, and how long the rest takes at that rate. */
export function createEstimate(total: number, from = 0): (count: number, milliseconds: number) => string {
  const marks: { readonly count: number; readonly milliseconds: number }[] = [];
  return (count, milliseconds) => {
    marks.push({ count, milliseconds });
    while (marks.length > 2 && milliseconds - (marks[1]?.milliseconds ?? milliseconds) >= windowMilliseconds) marks.shift();
    const [oldest = { count: from, milliseconds }] = marks;
    const seconds = (milliseconds - oldest.milliseconds) / 1000;
    const rate = (count - oldest.count) / seconds;
    const known =
      seconds >= 1 && rate > 0 ? `, ${Math.round(rate).toLocaleString("en")}/s, about ${formatDuration((total - count) / rate)} left` : "";
    return `${count.toLocaleString("en")} of ${total.toLocaleString("en")}${known}`;
  };
}
