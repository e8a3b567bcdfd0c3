import { listOperators } from "./operator-facts.ts";
import { listNames } from "./package-facts.ts";
import { operatorPath, packagePath } from "./pages/links.ts";
import type { ReadModel } from "./read-model.ts";

/** A page that what was typed may be about. */
export type Suggestion = { readonly name: string; readonly kind: "package" | "operator"; readonly path: string };

/** Operators and packages whose names begin as what was typed, operators first: there are few of them. */
export function listSuggestions(model: ReadModel, typed: string, limit: number): Suggestion[] {
  const prefix = typed.trim().toLowerCase();
  if (prefix === "") return [];
  const operators = listOperators(model)
    .filter(({ enrolment }) => enrolment.name.toLowerCase().startsWith(prefix))
    .slice(0, limit)
    .map(({ id, enrolment }): Suggestion => ({ name: enrolment.name, kind: "operator", path: operatorPath(id) }));
  const packages = listNames(model, prefix, limit - operators.length).map((name): Suggestion => ({
    name,
    kind: "package",
    path: packagePath(name),
  }));
  return [...operators, ...packages];
}
