import { ParseError } from "@quorate/protocol/parse-error";

/**
 * The process that traces a process, or 0, in `/proc/PID/status`, proc_pid_status(5). A program chooses its name, which may hold any character that
 * ends a line but the line feed.
 *
 *     Name:	tool
 *     TracerPid:	0
 *
 * @throws ParseError
 */
export function parseTracerPid(text: string): number {
  const pid = /\nTracerPid:\t(\d+)\n/.exec(text)?.[1];
  if (pid === undefined) throw new ParseError("status of a process", text);
  return Number(pid);
}
