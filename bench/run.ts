import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Figure, formatFigures } from "./figure.ts";

/**
 * `npm run bench [-- NAME…] [--json]`: runs bench/<name>.bench.ts, all of them without a name, and prints a table;
 * with --json one object a figure.
 */
const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const json = process.argv.includes("--json");
const available = globSync("*.bench.ts", { cwd: import.meta.dirname })
  .map((file) => file.replace(/\.bench\.ts$/, ""))
  .sort();
const unknown = names.filter((name) => !available.includes(name));
if (unknown.length > 0) {
  console.error(`bench: no such bench: ${unknown.join(", ")}; there are: ${available.join(", ")}`);
  process.exit(1);
}

for (const name of names.length > 0 ? names : available) {
  if (!json) console.error(`bench: ${name} …`);
  const module: { measure(): Promise<Figure[]> } = await import(pathToFileURL(join(import.meta.dirname, `${name}.bench.ts`)).href);
  const figures = await module.measure();
  if (json) for (const figure of figures) console.log(JSON.stringify(figure));
  else console.log(`\n${formatFigures(figures)}\n`);
}
