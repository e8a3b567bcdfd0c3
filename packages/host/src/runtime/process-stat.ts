import { ParseError } from "@quorate/protocol/parse-error";

export type ProcessStat = {
  readonly name: string;
  readonly isKernelThread: boolean;
  /** It has ended, and its parent has not asked how: it runs nothing. */
  readonly isZombie: boolean;
};

/** PF_KTHREAD of the kernel's include/linux/sched.h. */
const kernelThreadFlag = 0x0020_0000;

/**
 * `/proc/PID/stat`, proc_pid_stat(5). A program chooses its name, which may hold parentheses and spaces: the last `)` ends it.
 *
 *     4711 (tool) S 1 4711 4711 0 -1 4194304 …
 *
 * @throws ParseError
 */
export function parseProcessStat(text: string): ProcessStat {
  const [, name, rest] = /^\d+ \((.*)\) ([^)]*)$/s.exec(text) ?? [];
  const fields = rest?.split(" ") ?? [];
  // Fields 3 and 9 of the manual page.
  const [state, flags] = [fields[0], Number(fields[6])];
  if (name === undefined || state === undefined || !Number.isSafeInteger(flags)) throw new ParseError("stat of a process", text);
  return { name, isKernelThread: Math.trunc(flags / kernelThreadFlag) % 2 === 1, isZombie: /^[ZXx]$/.test(state) };
}
