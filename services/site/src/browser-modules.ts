import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type Asset, assetOf } from "./assets.ts";

export type BrowserModules<Name extends string> = {
  /** Addresses of the modules that pages name. */
  readonly urls: Readonly<Record<Name, string>>;
  readonly all: readonly Asset[];
};

type Module = { readonly name: string; readonly code: string };

/** Imports and exports of other modules: always at the start of a line, as everybody's formatter has them; and calls of `import`. */
const specifiers = /^(?:import|export)\s*(?:[\w$\s{},*]*?\bfrom\s*)?(["'])([^"'\n]+)\1|\bimport\((["'])([^"'\n]+)\3\)/gm;

/**
 * The modules of `src/browser` and all that they import, as a browser loads them: the sources themselves, without types, line by line what
 * every other part of the network runs. Only what imports name is changed, to the addresses here.
 */
export async function loadBrowserModules<Name extends string>(names: readonly Name[]): Promise<BrowserModules<Name>> {
  const modules = new Map<string, Module>();
  const fileOf = (name: Name) => fileURLToPath(new URL(`browser/${name}.ts`, import.meta.url));
  const pending = names.map(fileOf);
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (modules.has(file)) continue;
    const code = await loadCode(file);
    modules.set(file, { name: nameOf(file), code });
    pending.push(...[...code.matchAll(specifiers)].map((found) => resolveImport(specifierOf(found), file)));
  }
  const hash = createHash("sha256");
  for (const { name, code } of [...modules.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))) hash.update(`${name}\n${code}\n`);
  const base = `/modules/${hash.digest("hex").slice(0, 16)}`;
  const urlOf = (file: string) => `${base}/${modules.get(file)?.name}`;
  return {
    urls: mapNames(names, (name) => urlOf(fileOf(name))),
    all: Array.from(modules, ([file, { code }]) => {
      const linked = code.replace(specifiers, (text, ...groups: string[]) => {
        const specifier = groups[1] ?? groups[3] ?? "";
        return text.replace(specifier, urlOf(resolveImport(specifier, file)));
      });
      return assetOf(urlOf(file), "text/javascript; charset=utf-8", Buffer.from(linked));
    }),
  };
}

function mapNames<Name extends string>(names: readonly Name[], valueOf: (name: Name) => string): Record<Name, string> {
  return Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<Name, string>;
}

async function loadCode(file: string): Promise<string> {
  // Fifty translations of messages that nobody is shown.
  if (file.endsWith(join("zod", "v4", "locales", "index.js"))) return "export {};\n";
  const source = await readFile(file, "utf8");
  return file.endsWith(".ts") ? stripTypeScriptTypes(source) : source;
}

function specifierOf([, , stated, , dynamic]: RegExpExecArray): string {
  return stated ?? dynamic ?? "";
}

function resolveImport(specifier: string, importer: string): string {
  if (specifier.startsWith(".")) return resolve(dirname(importer), specifier);
  // What is resolved as for `require` has its module for `import` beside it.
  return createRequire(importer)
    .resolve(specifier)
    .replace(/\.cjs$/, ".js");
}

/** The path below `node_modules`, or below the workspace: `zod/v4/core/api.js`, `verdict/src/evaluate.js`. */
function nameOf(file: string): string {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const path = relative(root, file).split(sep).join("/");
  return path.replace(/^(?:.*node_modules|packages|services)\//, "").replace(/\.ts$/, ".js");
}
