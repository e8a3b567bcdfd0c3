import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { loadBrowserModules } from "./browser-modules.ts";

/** Something that never changes under its address: a style sheet, a picture, a module. */
export type Asset = { readonly path: string; readonly mediaType: string; readonly body: Buffer; readonly compressed: Buffer };

export type AssetUrls = { readonly style: string; readonly icon: string; readonly scripts: Readonly<Record<Script, string>> };

/** Modules that pages name; each makes the pages that name it do more. */
export type Script = (typeof scripts)[number];

const scripts = ["check-page", "follow-live", "follow-logs", "look-up-file", "suggest-pages"] as const;

/** Parts of the one style sheet, in this order: what is narrower or printed comes last. */
const styles = ["text", "frame", "sections", "verdict", "tables", "counts", "check", "pictures", "logs", "edges"];

export type Assets = { readonly urls: AssetUrls; readonly all: readonly Asset[] };

/** The site's own files, each under an address that has its digest in it. */
export async function loadAssets(): Promise<Assets> {
  const sheets = await Promise.all(styles.map((name) => readFile(new URL(`assets/style/${name}.css`, import.meta.url))));
  const style = namedByDigest("style.css", "text/css; charset=utf-8", Buffer.concat(sheets));
  const icon = namedByDigest("icon.svg", "image/svg+xml", await readFile(new URL("assets/icon.svg", import.meta.url)));
  const { urls, all } = await loadBrowserModules(scripts);
  return { urls: { style: style.path, icon: icon.path, scripts: urls }, all: [style, icon, ...all] };
}

function namedByDigest(name: string, mediaType: string, body: Buffer): Asset {
  return assetOf(`/assets/${createHash("sha256").update(body).digest("hex").slice(0, 16)}/${name}`, mediaType, body);
}

export function assetOf(path: string, mediaType: string, body: Buffer): Asset {
  return { path, mediaType, body, compressed: gzipSync(body, { level: 6 }) };
}
