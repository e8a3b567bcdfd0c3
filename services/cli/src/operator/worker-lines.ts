import type { WorkerStatus } from "@quorate/protocol/worker";
import { formatDuration } from "../progress/duration.ts";

/** A line of the worker's log for people: the time, what happened, and to which job. Lines of other programs stay as they are. */
export function workerLogLine(line: string): string {
  const entry = parseEntry(line);
  if (!entry) return line;
  const { time, msg, job, reason, err, activity } = entry;
  const error = errorOf(err);
  // What ends the service is its message already.
  const more = error !== undefined && String(msg).includes(error) ? undefined : error;
  const about = [typeof job === "string" ? `job ${job.slice(0, 12)}` : undefined, activity, reason, more];
  const details = about.filter((detail) => detail !== undefined && detail !== "").map(String);
  return `${clockOf(time)} ${String(msg)}${details.length > 0 ? ` (${details.join("; ")})` : ""}`;
}

/** `quorate worker status` for people. */
export function workerStatusLines(status: WorkerStatus | undefined, isAlive: boolean, now: Date): string[] {
  if (!status || !isAlive) return ["worker     not running here; start it with: quorate worker"];
  const { worker, operator, state, since, job, activity, jobsCommitted, unrevealed } = status;
  const seconds = (now.getTime() - Date.parse(since)) / 1000;
  return [
    `worker     ${worker} of operator ${operator}`,
    `state      ${state}, for ${formatDuration(seconds)}${job === undefined ? "" : `; job ${job}`}`,
    ...(activity === undefined ? [] : [`           ${activity}`]),
    `done       ${jobsCommitted} jobs since it was started; ${unrevealed} results here that the network has not asked for yet`,
  ];
}

function parseEntry(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "msg" in value ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function errorOf(err: unknown): string | undefined {
  return typeof err === "object" && err !== null && "message" in err ? String(err.message) : undefined;
}

function clockOf(time: unknown): string {
  const date = new Date(typeof time === "string" || typeof time === "number" ? time : Number.NaN);
  return Number.isNaN(date.getTime()) ? "--:--:--" : date.toISOString().slice(11, 19);
}
