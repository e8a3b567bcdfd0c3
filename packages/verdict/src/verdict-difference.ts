import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import type { Verdict, VerdictInput } from "@quorate/protocol/verdict";
import type { Decided } from "./evaluate.ts";

/** In what a verdict differs from the one that its evidence gives, in words; `undefined` when in nothing. */
export function differenceOf(said: Verdict, found: Decided): string | undefined {
  const inputs = inputDifference(said.inputs, found.inputs);
  if (inputs !== undefined) return inputs;
  if (said.outcome !== found.outcome) return `it says ${said.outcome}, and its evidence says ${found.outcome}`;
  const part = (["artifacts", "dissent", "reason"] as const).find((name) => spelled(said[name]) !== spelled(found[name]));
  return part === undefined ? undefined : `its ${part} are not those that its evidence gives (${spelled(found[part])})`;
}

function inputDifference(said: readonly VerdictInput[], found: readonly VerdictInput[]): string | undefined {
  if (spelled(said) === spelled(found)) return undefined;
  const missing = found.find(({ index }) => !said.some((input) => input.index === index));
  if (missing !== undefined) return `it leaves out the result at index ${missing.index}, which was logged before it`;
  const surplus = said.find(({ index }) => !found.some((input) => input.index === index));
  if (surplus !== undefined) return `it names a result at index ${surplus.index}, where the round has none`;
  const other = found.find((input) => !said.some((claimed) => spelled(claimed) === spelled(input)));
  if (other === undefined) return "its inputs are not listed once each, by index";
  const claimed = said.find(({ index }) => index === other.index);
  if (claimed?.envelope !== other.envelope) return `it names another envelope for the result at index ${other.index}`;
  return `it lists the result at index ${other.index} as ${claimed.standing}, and it is ${other.standing}`;
}

function spelled(value: unknown): string {
  return formatCanonicalJson(value ?? null);
}
