import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

export type Answer = { readonly path: string; readonly status: number; readonly text: string };

/** Real objects, by the part of an address that names one of them: `{ "/rounds/{id}": ["/rounds/0a1b…"] }`. */
export type NamedObjects = Readonly<Record<string, readonly string[]>>;

const operationSchema = z.object({
  security: z.array(z.unknown()).default([]),
  parameters: z.array(z.object({ in: z.string(), required: z.boolean().optional() })).default([]),
});
const descriptionSchema = z.object({ paths: z.record(z.string(), z.object({ get: operationSchema.optional() })) });

/** The GET routes that a service describes, such as `/v1/rounds/{id}`: for everybody, and for whoever has a token. */
export async function describedRoutes(url: string): Promise<{ open: string[]; withToken: string[] }> {
  const { paths } = descriptionSchema.parse(await (await fetch(`${url}/v1/openapi.json`)).json());
  const [open, withToken]: [string[], string[]] = [[], []];
  for (const [path, { get }] of Object.entries(paths)) {
    if (get === undefined) continue;
    if (get.security.length > 0) withToken.push(path);
    else if (get.parameters.some((parameter) => parameter.in === "query" && parameter.required)) throw new Error(`${path} needs a query`);
    else open.push(path);
  }
  return { open, withToken };
}

/** The GET routes below `prefix` that the sources of a directory add, in the same form; what a template leaves open is `{}`. */
export async function addedRoutes(directory: string, prefix: string): Promise<string[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".ts") && !/\.(?:test|fixture)\.ts$/.test(file));
  const sources = await Promise.all(files.map((file) => readFile(join(directory, file), "utf8")));
  const paths = sources.flatMap((text) =>
    [...text.matchAll(/\.get\(\s*(["`])(\/.*?)\1|^ +(["`])(\/.*?)\3,$/gm)].map((match) => match[2] ?? match[4] ?? ""),
  );
  const routes = paths.map((path) => path.replaceAll(/\$\{[^}]*\}/g, "{}").replaceAll(/:(\w+)/g, "{$1}"));
  return [...new Set(routes.filter((route) => route.startsWith(prefix) && !route.endsWith("*")))];
}

/** @returns addresses of the route, one for each of the objects that it may be asked about; none when it needs one that is not named */
export function filledRoute(route: string, objects: NamedObjects): string[] {
  const named = Object.keys(objects).find((part) => route.includes(part));
  if (named === undefined) return route.includes("{") ? [] : [route];
  return (objects[named] ?? []).flatMap((object) => filledRoute(route.replace(named, object), objects));
}

/** Whether an address is one of the route's. */
export function isOfRoute(path: string, route: string): boolean {
  const pattern = route.split(/\{\w*\}/).map((part) => part.replaceAll(".", "\\."));
  return new RegExp(`^${pattern.join("[^/?]+")}(?:\\?.*)?$`).test(path);
}

/** Of a stream of events, the first. */
export async function readAnswer(url: string, path: string): Promise<Answer> {
  const answer = await fetch(new URL(path, url));
  const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream") === true;
  return { path, status: answer.status, text: isStream ? await firstChunk(answer) : await answer.text() };
}

async function firstChunk(answer: Response): Promise<string> {
  for await (const chunk of answer.body ?? []) return new TextDecoder().decode(chunk);
  return "";
}

/**
 * Whatever a site's first page leads to.
 *
 * @throws Error when it does not end
 */
export async function* linkedAnswers(url: string): AsyncGenerator<Answer> {
  const found = new Set(["/"]);
  for (const path of found) {
    const answer = await readAnswer(url, path);
    for (const [, link = ""] of answer.text.matchAll(/(?:href|src)="(\/[^"#]*)/g)) found.add(link.replaceAll("&amp;", "&"));
    if (found.size > 3000) throw new Error(`${url} links to more than 3000 addresses, the last is ${[...found].at(-1)}`);
    yield answer;
  }
}
