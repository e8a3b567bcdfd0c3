import { inspect } from "node:util";
import type { CommandContext } from "./context.ts";
import type { Environment } from "./environment.ts";

/** A context for commands under test, and what they printed. */
export function recordingContext(env: Environment = {}): CommandContext & { printed: string[]; json: unknown[]; said: string[] } {
  const [printed, json, said]: [string[], unknown[], string[]] = [[], [], []];
  const terminal = {
    print: (line: string) => void printed.push(line),
    printJson: (value: unknown) => void json.push(JSON.parse(JSON.stringify(value))),
    say: (line: string) => void said.push(line),
    draw: (text: string) => {
      throw new Error(`drew ${inspect(text)} where nobody watches`);
    },
    live: false,
    columns: 80,
    rows: 24,
  };
  return { terminal, env, signal: new AbortController().signal, printed, json, said };
}
