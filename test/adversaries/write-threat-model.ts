import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatAdversaries } from "./adversaries.ts";

export const threatModelFile = join(import.meta.dirname, "../../docs/threat-model.md");

/** The threat model with the table of adversaries as the list has it. */
export function withAdversaries(text: string): string {
  const [before, rest] = text.split(/(?<=<!-- made by .* -->\n)/);
  const after = rest?.split(/(?=<!-- end -->\n)/).at(-1);
  if (rest === undefined || after === rest) throw new Error("docs/threat-model.md has no place for the table of adversaries");
  return `${before}\n${formatAdversaries()}\n\n${after}`;
}

if (import.meta.main) writeFileSync(threatModelFile, withAdversaries(readFileSync(threatModelFile, "utf8")));
