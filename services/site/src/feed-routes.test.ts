import { type IncomingHttpHeaders, request } from "node:http";
import { text } from "node:stream/consumers";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { startTestSite, type TestSite } from "./site.fixture.ts";

const names = ["ada", "bert", "cyd"];
const hostile = `cyd <b>&"'`;
let site: TestSite;

const network = new TestNetwork();

beforeAll(async () => {
  network.appendPolicy();
  for (const name of names) network.enrol(name, name === "cyd" ? { name: hostile } : {});
  network.appendTarget();
  network.runRound(network.roundFor(), names, (name) => (name === "cyd" ? { digest: "another" } : {}));
  site = await startTestSite(network);
});
afterAll(() => site?.[Symbol.asyncDispose]());

const feeds = ["package/mailgraph", "suite/debian/bookworm", `operator/${operatorNamed("cyd")}`];

describe.each(feeds)("the feed of %s", (name) => {
  const path = `/v1/feeds/${name}`;

  it("says in Atom and in JSON what is new, under the same ids", async () => {
    const atom = await site.get(`${path}/atom`);
    expect(atom.headers.get("content-type")).toBe("application/atom+xml; charset=utf-8");
    expect(atom.text).toContain("<title>reproduced: mailgraph 1.14-20 (all) in debian/bookworm</title>");
    const { items, title } = JSON.parse((await site.get(`${path}/json`)).text);
    expect(items).toMatchObject([{ tags: ["reproduced"], _verdict: { source: "mailgraph", dissent: [operatorNamed("cyd")] } }]);
    expect(atom.text).toContain(`<id>${items[0].id}</id>`);
    const { pathname, origin } = new URL(items[0].url);
    expect(origin).toBe(site.url);
    expect((await site.get(pathname)).status).toBe(200);
    const links = [...atom.text.matchAll(/ href="([^"]*)"/g)].map(([, href]) => href);
    expect(links).toHaveLength(3);
    expect(links.filter((href) => !href?.startsWith(`${site.url}/`))).toEqual([]);
    if (name.startsWith("operator")) expect(title).toContain(hostile);
    expect(atom.text).not.toContain("<b>");
  });

  it("is named by the page that it is about, in both formats", async () => {
    const { text } = await site.get(`/${name}`);
    for (const type of ["application/atom+xml", "application/feed+json"]) {
      const href =
        new RegExp(`<link rel="alternate" type="${type.replace("+", "[+]")}" title="[^"]*" href="([^"]*)"`).exec(text)?.[1] ?? "";
      expect((await site.get(href)).headers.get("content-type")).toBe(`${type}; charset=utf-8`);
      expect(text).toContain(`<a href="${href}">`);
    }
  });

  it("is sent again only when something is new", async () => {
    const { headers } = await site.get(`${path}/atom`);
    expect((await site.get(`${path}/atom`, { "if-none-match": headers.get("etag") ?? "" })).status).toBe(304);
    expect((await site.get(`${path}/atom`, { "if-modified-since": headers.get("last-modified") ?? "" })).status).toBe(304);
  });
});

test("a feed names the configured address whatever host was asked, and may be kept by caches; else the host that was asked, and may not", async () => {
  const asked = (url: string, headers: Record<string, string>) =>
    new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
      request(`${url}/v1/feeds/package/mailgraph/json`, { headers }, async (answer) =>
        resolve({ status: answer.statusCode, headers: answer.headers, text: await text(answer) }),
      )
        .on("error", reject)
        .end();
    });
  const own = await asked(site.url, { host: "other.example:80" });
  expect(JSON.parse(own.text)).toMatchObject({ feed_url: "http://other.example:80/v1/feeds/package/mailgraph/json" });
  expect(own.headers).toMatchObject({ "cache-control": "private, max-age=60", vary: "accept-encoding, host" });
  const behind = await asked(site.url, { "x-forwarded-host": "proxied.example", "x-forwarded-proto": "https" });
  expect(JSON.parse(behind.text)).toMatchObject({ home_page_url: "https://proxied.example/package/mailgraph" });
  for (const headers of [
    { host: 'a"><b>' },
    { host: "user@evil.example" },
    { host: "a.example/x" },
    { "x-forwarded-proto": "javascript" },
  ]) {
    expect((await asked(site.url, headers)).status).toBe(400);
  }

  await using configured = await startTestSite(network, { publicUrl: "https://quorate.example" });
  const fixed = await asked(configured.url, { host: "other.example" });
  expect(JSON.parse(fixed.text)).toMatchObject({ feed_url: "https://quorate.example/v1/feeds/package/mailgraph/json" });
  expect(fixed.headers).toMatchObject({ "cache-control": "public, max-age=60", vary: "accept-encoding" });
});

test.each([
  ["/v1/feeds/package/nothing/atom", 404],
  ["/v1/feeds/package/%3Cscript%3E/atom", 404],
  ["/v1/feeds/package/%E2%80%AEx/json", 404],
  ["/v1/feeds/suite/debian/%00/json", 404],
  ["/v1/feeds/operator/zz/json", 400],
  ["/v1/feeds/package/mailgraph/rss", 400],
  [`/v1/feeds/package/${"x".repeat(300)}/atom`, 400],
])("%s is answered by a problem", async (path, expected) => {
  const { status, headers, text } = await site.get(path);
  expect(status).toBe(expected);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(text).not.toMatch(/<script>|\u202e/);
});
