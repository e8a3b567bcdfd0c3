import type { Terminal } from "../terminal.ts";

/** A few lines at the bottom of a terminal that are drawn again in place; lines that are said appear above them. */
export interface LiveRegion extends Disposable {
  show(lines: readonly string[]): void;
  say(line: string): void;
}

const clearLine = "\u001b[2K";
const clearBelow = "\u001b[J";
const up = (lines: number): string => (lines > 0 ? `\u001b[${lines}A` : "");

export function createLiveRegion(terminal: Pick<Terminal, "draw" | "columns" | "rows">): LiveRegion {
  let shown: readonly string[] = [];
  const erase = (): string => `\r${up(shown.length)}${clearBelow}`;
  const text = (lines: readonly string[]): string => lines.map((line) => `${clearLine}${cut(line, terminal.columns - 1)}\n`).join("");
  return {
    show(lines) {
      // Lines that have scrolled away cannot be erased.
      const visible = lines.slice(0, Math.max(1, terminal.rows - 2));
      terminal.draw(erase() + text(visible));
      shown = visible;
    },
    say(line) {
      terminal.draw(`${erase()}${line}\n${text(shown)}`);
    },
    /** What was shown last stays. */
    [Symbol.dispose]() {
      shown = [];
    },
  };
}

/** A line that wraps would be counted as one and leave a trace when it is erased. */
function cut(line: string, columns: number): string {
  const characters = Array.from(line);
  return characters.length <= columns ? line : `${characters.slice(0, Math.max(0, columns - 1)).join("")}…`;
}
