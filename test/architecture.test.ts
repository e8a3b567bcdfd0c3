import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = dirname(import.meta.dirname);
const core = ["protocol", "tlog", "attestation", "debian", "verdict"];
const shell = ["signing", "bus", "client", "service", "archive", "host"];
const services = ["coordinator", "log", "witness", "worker", "cli", "site", "fleet"];

/** npm packages that only these workspaces may import: each outside system has one door. */
const soleImporters: Record<string, string[]> = {
  sigstore: ["signing"],
  "@sigstore/": ["signing"],
  nats: ["bus"],
  "nats.ws": ["bus"],
  "@nats-io/": ["bus"],
  bullmq: ["coordinator"],
  ioredis: ["coordinator"],
  "drizzle-orm": ["coordinator"],
  "@bull-board/": ["coordinator"],
  "@fastify/basic-auth": ["service"],
  "@fastify/rate-limit": ["service"],
  "@fastify/proxy-addr": ["service"],
  "ipaddr.js": ["service", "coordinator"],
  pg: ["coordinator", "log"],
  "@aws-sdk/": ["log"],
  openpgp: ["archive"],
  "@electric-sql/": ["cli"],
  "tar-stream": ["host"],
  commander: ["cli"],
  "markdown-it": ["site"],
  pino: ["service"],
  "@fastify/swagger": ["service"],
};
const coreMayImport = ["zod", "@noble/", "@scure/base"];
const vagueNames = /^(utils?|common|helpers?|types|index|managers?|misc)\.ts$/;

type SourceFile = { path: string; workspace: string; text: string; imports: string[] };

const files: SourceFile[] = globSync(["packages/*/src/**/*.ts", "services/*/src/**/*.ts"], { cwd: root }).map((path) => {
  const text = readFileSync(join(root, path), "utf8");
  const imports = [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)"([^"]+)"/gm)].map((match) => match[1] ?? "");
  return { path, workspace: path.split("/")[1] ?? "", text, imports };
});
/** What runs; tests and their fixtures may reach further. */
const sources = files.filter((file) => !/\.(test|fixture)\.ts$/.test(file.path));
const isRelative = (specifier: string) => specifier.startsWith("./") || specifier.startsWith("../");
const workspaceOf = (specifier: string) => /^@quorate\/([a-z-]+)\//.exec(specifier)?.[1];
const matches = (specifier: string, name: string) =>
  name.endsWith("/") ? specifier.startsWith(name) : specifier === name || specifier.startsWith(`${name}/`);

function violations(check: (file: SourceFile) => string[]): string[] {
  return sources.flatMap((file) => check(file).map((problem) => `${file.path}: ${problem}`));
}

describe("rings", () => {
  test("every workspace belongs to a ring", () => {
    expect([...new Set(files.map((file) => file.workspace))].filter((name) => ![...core, ...shell, ...services].includes(name))).toEqual(
      [],
    );
  });

  test("core imports core and its few pure npm packages only", () => {
    const found = violations((file) => {
      if (!core.includes(file.workspace)) return [];
      return file.imports.filter((specifier) => {
        const workspace = workspaceOf(specifier);
        if (workspace !== undefined) return !core.includes(workspace);
        return !isRelative(specifier) && !coreMayImport.some((name) => matches(specifier, name));
      });
    });
    expect(found).toEqual([]);
  });

  test("core has no clock, randomness, process or console", () => {
    const impure = /\b(Date\.now|new Date\(\)|Math\.random|process\.|console\.|globalThis|performance\.)/g;
    expect(violations((file) => (core.includes(file.workspace) ? [...file.text.matchAll(impure)].map((match) => match[0]) : []))).toEqual(
      [],
    );
  });

  test("packages never import services, and services never import each other", () => {
    const found = violations((file) =>
      file.imports.filter((specifier) => {
        const workspace = workspaceOf(specifier);
        return workspace !== undefined && services.includes(workspace) && workspace !== file.workspace;
      }),
    );
    expect(found).toEqual([]);
  });

  test("relative imports stay inside their workspace", () => {
    const found = violations((file) =>
      file.imports.filter((specifier) => {
        if (!isRelative(specifier)) return false;
        const home = file.path.split("/").slice(0, 2).join("/");
        return relative(home, join(dirname(file.path), specifier)).startsWith("..");
      }),
    );
    expect(found).toEqual([]);
  });

  test("every imported package is declared in its workspace's package.json", () => {
    const found = violations((file) => {
      const manifest = JSON.parse(readFileSync(join(root, file.path.split("/").slice(0, 2).join("/"), "package.json"), "utf8"));
      const declared = Object.keys(manifest.dependencies ?? {});
      return file.imports.filter((specifier) => {
        if (isRelative(specifier) || specifier.startsWith("node:")) return false;
        const name = specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/");
        return name !== `@quorate/${file.workspace}` && !declared.includes(name);
      });
    });
    expect(found).toEqual([]);
  });
});

describe("doors", () => {
  test("each outside system is imported by its one workspace", () => {
    const found = violations((file) =>
      file.imports.filter((specifier) =>
        Object.entries(soleImporters).some(([name, allowed]) => matches(specifier, name) && !allowed.includes(file.workspace)),
      ),
    );
    expect(found).toEqual([]);
  });

  test("only config.ts, main.ts and run.ts read the environment", () => {
    const found = violations((file) =>
      /\bprocess\.env\b/.test(file.text) && !/\/(config|main|run)\.ts$/.test(file.path) ? ["process.env"] : [],
    );
    expect(found).toEqual([]);
  });
});

describe("files", () => {
  test("no file has a name that says nothing", () => {
    expect(files.map((file) => file.path).filter((path) => vagueNames.test(path.split("/").at(-1) ?? ""))).toEqual([]);
  });

  test("no source file is over 400 lines", () => {
    expect(violations((file) => (file.text.split("\n").length > 401 ? [`${file.text.split("\n").length} lines`] : []))).toEqual([]);
  });

  test("nothing escapes the type system", () => {
    const escapes = /as unknown as|@ts-(?:ignore|expect-error|nocheck)/g;
    expect(violations((file) => [...file.text.matchAll(escapes)].map((match) => match[0]))).toEqual([]);
  });
});
