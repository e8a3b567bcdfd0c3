import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { parseDecimal } from "@quorate/tlog/decimal";
import { type Figure, formatFigures } from "./figure.ts";

/**
 * `npm run bench [-- NAME…] [--json] [--entries N]`: runs bench/<name>.bench.ts, all of them without a name, and prints a table; with --json
 * one object a figure. `--entries` is how many entries the log has that `replay` replays.
 */
const { positionals: names, values: options } = parseArgs({
  options: { json: { type: "boolean", default: false }, entries: { type: "string", default: "100000" } },
  allowPositionals: true,
});
const available = globSync("*.bench.ts", { cwd: import.meta.dirname })
  .map((file) => file.replace(/\.bench\.ts$/, ""))
  .sort();
const unknown = names.filter((name) => !available.includes(name));
if (unknown.length > 0) {
  console.error(`bench: no such bench: ${unknown.join(", ")}; there are: ${available.join(", ")}`);
  process.exit(1);
}

// A bench that is interrupted leaves nothing: the kernel ends its servers with it, and their files are in one directory.
const scratch = mkdtempSync(join(tmpdir(), "quorate-bench-"));
process.env["TMPDIR"] = scratch;
// Again while a server still writes.
process.on("exit", () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(130));

for (const name of names.length > 0 ? names : available) {
  if (!options.json) console.error(`bench: ${name} …`);
  const url = pathToFileURL(join(import.meta.dirname, `${name}.bench.ts`)).href;
  const module: { measure(given: { entries: number }): Promise<Figure[]> } = await import(url);
  const figures = await module.measure({ entries: parseDecimal("--entries", options.entries) });
  if (options.json) for (const figure of figures) console.log(JSON.stringify(figure));
  else console.log(`\n${formatFigures(figures)}\n`);
}
