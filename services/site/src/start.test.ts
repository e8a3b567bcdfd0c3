import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestSite, type TestSite } from "./site.fixture.ts";

const [reference] = sampleTarget.artifacts;
const published = digestOf("reference");
let site: TestSite;
const network = new TestNetwork();

beforeAll(async () => {
  network.appendPolicy();
  for (const name of ["ada", "bert", "cyd"]) network.enrol(name, name === "cyd" ? { name: "cyd <b>&\"'" } : {});
  network.appendTarget();
  network.runRound(network.roundFor(), ["ada", "bert", "cyd"], (name) => (name === "cyd" ? { digest: "another" } : {}));
  site = await startTestSite(network);
});
afterAll(() => site?.[Symbol.asyncDispose]());

describe("a site whose coordinator is down", () => {
  it("says a verdict in one sentence, and which digest each operator signed", async () => {
    const { status, text } = await site.get(`/artifact/${published}`);
    expect(status).toBe(200);
    expect(text).toContain("2 of 3 operators rebuilt mailgraph 1.14-20 (all) and got exactly the bytes that debian published.");
    expect(text.match(/= published/g)).toHaveLength(2);
    expect(text.match(/≠ published/g)).toHaveLength(1);
    expect(text).toContain(digestOf("another"));
    expect(text).toContain(published);
  });

  it("shows the links from what the distribution signed to the log, each with its digest or its entry", async () => {
    const { text } = await site.get(`/artifact/${published}`);
    const chain = /<ol class="chain">(.*?)<\/ol>/s.exec(text)?.[1] ?? "";
    const links = [...chain.matchAll(/<b>(\w+)<\/b>/g)].map(([, name]) => name);
    expect(links).toEqual(["InRelease", "Indices", "Sources", "Target", "Committee", "Commitments", "Results", "Verdict", "Checkpoint"]);
    for (const name of ["InRelease", "Packages", "dsc"]) expect(chain).toContain(digestOf(name));
    for (const index of [4, 5, 6, 7, 8, 9, 10, 11, 12]) expect(chain).toContain(`href="/log/entry/${index}"`);
  });

  it("finds an artifact by a digest that an operator built instead of the published one, and says so", async () => {
    const { text } = await site.get(`/artifact/${digestOf("another")}`);
    expect(text).toContain("That is not what debian published under this name");
  });

  it.each([
    [published, `/artifact/${published}`],
    [reference?.file ?? "", `/artifact/${published}`],
    ["mailgraph=1.14-20", `/artifact/${published}`],
    ["mailgraph", "/package/mailgraph"],
    ["pkg:deb/debian/mailgraph@1.14-20?arch=all", `/artifact/${published}`],
    [operatorNamed("ada"), `/operator/${operatorNamed("ada")}`],
    ["3", "/log/entry/3"],
  ])("leads from the search for %s to its page, which is there", async (query, path) => {
    const { status, headers } = await site.get(`/search?q=${encodeURIComponent(query)}`);
    expect({ status, location: headers.get("location") }).toEqual({ status: 303, location: path });
    expect((await site.get(path)).status).toBe(200);
  });

  it("suggests names that begin as what was asked for", async () => {
    const { status, text } = await site.get("/search?q=mailg");
    expect(status).toBe(200);
    expect(text).toContain('href="/package/mailgraph"');
  });

  it.each<[string, readonly string[]]>([
    ["mai", ["/package/mailgraph"]],
    ["AD", [`/operator/${operatorNamed("ada")}`]],
    ["cyd <B", [`/operator/${operatorNamed("cyd")}`]],
    ["%", []],
    ["mailgraph_1.14-20_all.deb", []],
    ["x".repeat(4000), []],
    ["\u202e\u0000", []],
  ])("suggests for %j what begins so, and no more", async (typed, paths) => {
    const { status, text } = await site.get(`/search/suggestions?q=${encodeURIComponent(typed)}`);
    expect(status).toBe(200);
    const { suggestions } = JSON.parse(text) as { suggestions: readonly { path: string }[] };
    expect(suggestions.map(({ path }) => path)).toEqual(paths);
  });

  it.each([
    ["/search?q=%3Cscript%3Ealert(1)%3C/script%3E"],
    [`/search?q=${"x".repeat(4001)}`],
    ["/search?q=%E2%80%AEgpj.exe"],
    ["/search?q=a&q=b"],
    ["/package/%3Cimg%20src=x%3E"],
    ["/artifact/zz"],
    ["/log/entry/-1"],
    ["/log/entry/9999999999999999"],
    ["/operator/%00"],
    ["/nothing/here"],
  ])("answers %s with a page that says what is wrong, and runs nothing", async (path) => {
    const { status, text, headers } = await site.get(path);
    expect(status).toBe(404);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(text).not.toMatch(/<script>|<img|\u202e/);
    expect(text).toContain("<h1>");
  });

  it("shows a hostile operator's name as text on every page that names it", async () => {
    for (const path of [`/artifact/${published}`, "/operators", `/operator/${operatorNamed("cyd")}`, "/log"]) {
      const { text } = await site.get(path);
      expect(text).toContain("cyd &lt;b&gt;&amp;&quot;&#39;");
      expect(text).not.toContain("cyd <b>");
    }
  });

  it("counts what each operator did, and how often each two agree", async () => {
    const { text } = await site.get(`/operator/${operatorNamed("cyd")}`);
    expect(text).toMatch(/<b>1<\/b> results counted/);
    expect(text).toMatch(/<b>1<\/b> of them dissenting/);
    const { text: all } = await site.get("/operators");
    expect(all).toContain("100 %<small>1 of 1</small>");
    expect(all).toContain("0 %<small>0 of 1</small>");
  });

  it("shows every entry of the log with what is signed and how it leads to the root", async () => {
    for (const index of network.entries.keys()) {
      const { status, text } = await site.get(`/log/entry/${index}`);
      expect(status).toBe(200);
      expect(text).toContain('class="proof-path"');
    }
    expect((await site.get("/log")).text).toContain("w2.example");
  });

  it("says that a proof cannot be had now, and what to do", async () => {
    const { status, text } = await site.get(`/proof/${published}`);
    expect(status).toBe(503);
    expect(text).toContain("try again later");
  });

  it("shows how a suite stands, and gives all of its verdicts to take away", async () => {
    expect((await site.get("/suite/debian/bookworm")).text).toContain("<b>1</b> reproduced");
    expect((await site.get("/suite/debian/nowhere")).status).toBe(404);
    const { text, headers } = await site.get("/suite/debian/bookworm/verdicts.ndjson");
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    const lines = text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { source: "mailgraph", version: "1.14-20", outcome: "reproduced", verdictIndex: 12 },
    ]);
  });

  it("gives the shares of a suite as tables and as JSON, also those of which there are none", async () => {
    const { text, headers } = await site.get("/suite/debian/bookworm/components.csv");
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(text).toBe('"component","reproduced","mismatch","unreproducible","failed","inconclusive","pending"\r\n"main",1,0,0,0,0,0\r\n');
    expect(JSON.parse((await site.get("/suite/debian/bookworm/components.json")).text)).toMatchObject([
      { component: "main", reproduced: 1 },
    ]);
    expect(JSON.parse((await site.get("/suite/debian/bookworm/causes.json")).text)).toEqual([]);
    expect((await site.get("/suite/debian/nowhere/causes.csv")).status).toBe(404);
    expect((await site.get("/suite/debian/bookworm")).text).toContain('href="/suite/debian/bookworm/components.csv"');
  });

  it("says that what is being rebuilt cannot be shown, and offers no result that there is none of", async () => {
    expect((await site.get("/live")).text).toContain("The coordinator does not answer now");
    const { status, text } = await site.get("/compare/9/10");
    expect(status).toBe(200);
    expect(text).toContain("Cannot be compared");
    for (const path of ["/compare/9/0", "/compare/x/9", "/compare/1e3/9", "/result/9/abc"]) expect((await site.get(path)).status).toBe(404);
  });

  it("shows the repository's documents, with links between them that lead on", async () => {
    const { text } = await site.get("/docs");
    const paths = [...text.matchAll(/href="(\/docs\/[^"#]+)"/g)].map(([, path]) => path ?? "");
    expect(paths.length).toBeGreaterThan(20);
    const linked = new Set<string>();
    for (const path of paths) {
      const page = await site.get(path);
      expect(page.status, path).toBe(200);
      for (const [, to] of page.text.matchAll(/href="(\/docs\/[^"#]+)/g)) linked.add(to ?? "");
    }
    expect([...linked].filter((path) => !paths.includes(path))).toEqual([]);
  });
});

describe("how pages are sent", () => {
  it("allows no script but its own, no style but its own, and no request to anybody else", async () => {
    const { headers, text } = await site.get("/");
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(text).not.toMatch(/\sstyle="|\son[a-z]+="|<script>|<style/);
    expect([...text.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, url]) => url).filter((url) => !url?.startsWith("/"))).toEqual([
      "#main",
    ]);
  });

  it("answers 304 to whoever has the page, compresses for whoever reads gzip, and lets assets be kept for ever", async () => {
    const first = await site.get("/");
    const etag = first.headers.get("etag") ?? "";
    // A proxy that compresses makes the tag a weak one.
    for (const known of [etag, `W/${etag}`]) expect((await site.get("/", { "if-none-match": known })).status).toBe(304);
    const compressed = await site.get("/", { "accept-encoding": "gzip" });
    expect(compressed.headers.get("content-encoding")).toBe("gzip");
    expect(compressed.text).toBe(first.text);
    const [, style = ""] = /rel="stylesheet" href="([^"]+)"/.exec(first.text) ?? [];
    expect((await site.get(style)).headers.get("cache-control")).toContain("immutable");
  });

  it("shows what the log says next without a restart", async () => {
    const grown = new TestNetwork();
    grown.rebuild();
    await using following = await startTestSite(grown);
    expect((await following.get("/search?q=later")).status).toBe(404);
    const artifacts = sampleTarget.artifacts.map((artifact) => ({ ...artifact, package: "later", sha256: digestOf("later") }));
    grown.appendTarget({ ...sampleTarget, source: "later", artifacts });
    await following.publish(grown);
    await expect.poll(async () => (await following.get("/search?q=later")).status).toBe(303);
    expect((await following.get(`/artifact/${digestOf("later")}`)).text).toContain("has no verdict yet");
  });
});

it("lets an address ask so often in a minute, over pages and API alike; what a proxy asks for itself is not counted", async () => {
  await using limited = await startTestSite(network, { requestsAMinute: 2 });
  const reader = { "x-forwarded-for": "203.0.113.7" };
  const answers = [await limited.get("/", reader), await limited.get("/v1/verdicts?since=0", reader), await limited.get("/live", reader)];
  expect(answers.map(({ status, headers }) => [status, headers.get("ratelimit-remaining")])).toEqual([
    [200, "1"],
    [200, "0"],
    [429, "0"],
  ]);
  expect(answers[2]?.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await limited.get("/")).toMatchObject({ status: 200 });
});
