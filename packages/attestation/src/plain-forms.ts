import type { OperatorId } from "@quorate/protocol/operator";
import { canonicalGrammar } from "./canonical-grammar.ts";

/** Forms of parts that grammars of plain statements share. */
export const sha256 = "[0-9a-f]{64}";
export const operator = "[0-9a-f]{32}";
export const count = "(?:0|[1-9][0-9]{0,14})";
export const positive = "[1-9][0-9]{0,14}";
/** A line in characters that JSON spells as they are. */
export const line = (most: number): string => `[ !#-[\\]-~]{1,${most}}`;

export const operators = canonicalGrammar('"<operator>"', { operator });

export function readOperators(list: string): OperatorId[] {
  return operators.readItems(list).map((parts) => parts.operator as OperatorId);
}
