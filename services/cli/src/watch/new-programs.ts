import { readlinkSync } from "node:fs";
import { listPids } from "@quorate/host/runtime/sweep";

/** What a process runs first is seldom what it was made for: a shell makes a process and then has it execute a program. */
const youngMilliseconds = 2000;

type Seen = { readonly program: string; readonly firstSeenAt: number };

/** Finds processes that began since the last look, or execute another program and are young; a look costs a listing of /proc and little more. */
export class NewPrograms {
  readonly #root: string;
  #seen = new Map<number, Seen>();

  constructor(root: string) {
    this.#root = root;
  }

  /** @param now milliseconds of a clock that only goes forward */
  look(now: number): number[] {
    const seen = new Map<number, Seen>();
    const found: number[] = [];
    for (const pid of listPids(this.#root)) {
      const before = this.#seen.get(pid);
      const isYoung = before === undefined || now - before.firstSeenAt < youngMilliseconds;
      const program = isYoung ? this.#programOf(pid) : before.program;
      if (before?.program !== program) found.push(pid);
      seen.set(pid, { program, firstSeenAt: before?.firstSeenAt ?? now });
    }
    this.#seen = seen;
    return found;
  }

  /** Of the kernel's threads, and of processes that have ended, there is none. */
  #programOf(pid: number): string {
    try {
      return readlinkSync(`${this.#root}/proc/${pid}/exe`);
    } catch {
      return "";
    }
  }
}
