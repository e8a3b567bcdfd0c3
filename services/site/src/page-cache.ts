import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { tagOf } from "@quorate/service/not-modified";

/** A page as it is sent. */
export type SentPage = {
  readonly isMomentary: boolean;
  readonly status: number;
  readonly etag: string;
  readonly body: Buffer;
  readonly compressed: Buffer;
};

type Rendered = { readonly status: number; readonly isMomentary: boolean; readonly markup: string };

const compress = promisify(gzip);
const maxBytes = 64 * 2 ** 20;

/** Keeps pages that were asked for, until the log has grown or a large envelope was opened: most are asked for again, and nothing in them has changed. */
export class PageCache {
  readonly #pages = new Map<string, Promise<SentPage>>();
  #version = "";
  #bytes = 0;

  /** @param version of what pages are made of; with another one, nothing that was kept is of use */
  async load(url: string, version: string, render: () => Promise<Rendered>): Promise<SentPage> {
    if (version !== this.#version) this.#clear(version);
    const kept = this.#pages.get(url);
    if (kept !== undefined) return kept;
    const page = sentPageOf(render);
    this.#pages.set(url, page);
    try {
      const { status, isMomentary, body, compressed } = await page;
      // What failed is tried again.
      if (status >= 500 || isMomentary) this.#pages.delete(url);
      else this.#bytes += body.length + compressed.length;
      if (this.#bytes > maxBytes) this.#clear(version);
    } catch (error) {
      this.#pages.delete(url);
      throw error;
    }
    return page;
  }

  #clear(version: string): void {
    this.#pages.clear();
    this.#version = version;
    this.#bytes = 0;
  }
}

async function sentPageOf(render: () => Promise<Rendered>): Promise<SentPage> {
  const { status, isMomentary, markup } = await render();
  const body = Buffer.from(markup, "utf8");
  return { status, isMomentary, etag: tagOf(body), body, compressed: await compress(body, { level: constants.Z_DEFAULT_COMPRESSION }) };
}
