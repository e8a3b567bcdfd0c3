import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { serve } from "@quorate/client/local-server.fixture";
import { type JobPhase, jobIdOf, type LiveMessage } from "@quorate/protocol/job";
import type { JobView, RoundView } from "@quorate/protocol/submission";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import { formatProof, type Proof } from "@quorate/verdict/proof";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import {
  accessibilityProblems,
  colourRules,
  launchBrowser,
  saveScreenshot,
  type WatchedBrowser,
  type WatchedPage,
} from "../../../test/browser.ts";
import { startTestSite, type TestSite } from "./site.fixture.ts";

const operators = ["ada", "bert", "cyd"];
const published = digestOf("reference");
const artifactPath = `/artifact/${published}`;
let site: TestSite;
let browser: WatchedBrowser;
let proof: Proof;
let coordinator: Awaited<ReturnType<typeof serve>>;

const jobOf = (name: string, phase: JobPhase): JobView => ({
  job: jobIdOf(digestOf("round"), operatorNamed(name)),
  operator: operatorNamed(name),
  operatorName: name,
  phase,
  activity: `${phase} \u202eon <b>it</b>`,
});
const liveRound: RoundView = {
  round: digestOf("round"),
  target: digestOf("target"),
  attempt: 1,
  policy: digestOf("policy"),
  distribution: "debian",
  suite: "bookworm",
  source: "hello",
  version: "2.10-3",
  architecture: "amd64",
  state: "building",
  submittedAt: "2026-11-23T09:00:00Z",
  jobs: [jobOf("ada", "building"), jobOf("bert", "committed"), jobOf("cyd", "queued")],
};
const said: LiveMessage = {
  job: jobIdOf(liveRound.round, operatorNamed("ada")),
  round: liveRound.round,
  operator: operatorNamed("ada"),
  phase: "building",
  logLines: ["dpkg-source: <script>document.title='run'</script>", "dh build \u202egnihton", "x".repeat(2000)],
};

/** An earlier version, which did not build: pages that show what changes over time have something to show. */
function appendEarlierFailure(network: TestNetwork): void {
  const version = "1.14-19";
  const artifacts = sampleTarget.artifacts.map((artifact) => ({
    ...artifact,
    file: `mailgraph_${version}_all.deb`,
    version,
    sha256: digestOf("earlier"),
  }));
  const target = { ...sampleTarget, version, artifacts };
  network.appendTarget(target);
  const round = network.roundFor(target);
  network.appendRound(round);
  const results = operators.map((name) => network.signResult(name, { round, failure: "build-failed" }));
  for (const result of results) network.commit(result);
  for (const { bytes } of results) network.appendBytes(bytes);
  network.appendVerdict({ ...network.verdictOf(round), decidedAt: "2026-11-24T09:00:00Z" });
}

/** What the coordinator of these tests answers. */
function answerOf(url: string): string {
  if (url === `/v1/rounds/${liveRound.round}`) return JSON.stringify(liveRound);
  if (url.startsWith("/v1/rounds")) return JSON.stringify({ rounds: url.includes("state=building") ? [liveRound] : [] });
  return formatProof(proof);
}

beforeAll(async () => {
  const network = new TestNetwork();
  network.rebuild(operators, (name) => (name === "cyd" ? { digest: "another" } : {}));
  const artifacts = sampleTarget.artifacts.map((artifact) => ({ ...artifact, package: "waiting", sha256: digestOf("waiting") }));
  network.appendTarget({ ...sampleTarget, source: "waiting", artifacts });
  const ofNewest = [...network.entries.keys()];
  appendEarlierFailure(network);
  proof = network.proof(ofNewest);
  coordinator = await serve(({ url = "" }, response) => {
    if (!url.endsWith("/events")) return void response.setHeader("content-type", "application/json").end(answerOf(url));
    response.writeHead(200, { "content-type": "text/event-stream" }).write(`event: live\ndata: ${JSON.stringify(said)}\n\n`);
  });
  [site, browser] = await Promise.all([startTestSite(network, { coordinatorUrl: coordinator.url }), launchBrowser()]);
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
  await coordinator?.[Symbol.asyncDispose]();
});

const paths = [
  "/",
  artifactPath,
  `/artifact/${digestOf("waiting")}`,
  "/package/mailgraph",
  "/search?q=mail",
  "/search?q=%3Cb%3E",
  "/suites",
  "/suite/debian/bookworm",
  "/operators",
  "/project",
  `/operator/${operatorNamed("cyd")}`,
  "/live",
  `/live/${digestOf("round")}`,
  "/compare/9/11",
  "/log",
  "/log/entry/9",
  "/docs",
  "/docs/api",
  "/docs/cli",
];

/** Every colour is on one of these. */
const colourful = new Set(["/", artifactPath, "/operators", "/log/entry/9", "/compare/9/11"]);

const wide = { width: 1280, height: 800 };
const narrow = { width: 390, height: 800 };

describe("every page", () => {
  test("has nothing that axe objects to or that is too wide, no error on the console and no request to anybody else", async () => {
    await using opened = await browser.open(`${site.url}/`);
    const { page, complaints } = opened;
    for (const path of paths) {
      const name = path.replaceAll(/[^A-Za-z0-9]+/g, "-").slice(0, 20);
      await page.setViewportSize(wide);
      await page.goto(`${site.url}${path}`);
      expect({ path, problems: await accessibilityProblems(page), overflow: await overflowOf(page) }).toEqual({
        path,
        problems: [],
        overflow: 0,
      });
      await saveScreenshot(page, `wide${name}`);
      // What is dark or narrow has the same markup.
      if (colourful.has(path)) {
        await page.emulateMedia({ colorScheme: "dark" });
        expect({ path, problems: await accessibilityProblems(page, colourRules) }).toEqual({ path, problems: [] });
        await saveScreenshot(page, `dark${name}`);
        await page.emulateMedia({ colorScheme: "light" });
      }
      await page.setViewportSize(narrow);
      expect({ path, overflow: await overflowOf(page) }).toEqual({ path, overflow: 0 });
      await saveScreenshot(page, `phone${name}`);
    }
    // The pages that are answered with 404 say so on the console.
    expect(complaints.filter((complaint) => !complaint.includes("status of 404"))).toEqual([]);
  });
});

/** By how many pixels a page is wider than its window. */
async function overflowOf(page: Page): Promise<unknown> {
  return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** In the page: modules of the check that were asked for before the page was shown. */
const askedBeforeFirstPaint = `
  performance.getEntriesByType("resource")
    .filter(({ startTime }) => startTime < performance.getEntriesByName("first-contentful-paint")[0].startTime)
    .map(({ name }) => name)
    .filter((name) => name.includes("/modules/") && !/(?:check-page|suggest-pages)[.]js$/.test(name))`;

/** The state of each step of the check on the artifact's page, once there is an answer. */
async function checked(page: Page): Promise<{ state: string; steps: Record<string, string | null>; answer: string }> {
  const section = page.locator("#check:is([data-state=verified], [data-state=contradicted], [data-state=unable])");
  await section.waitFor();
  const steps = await section.locator("[data-step]").all();
  const states = steps.map(async (step) => [await step.getAttribute("data-step"), await step.getAttribute("data-state")]);
  return {
    state: (await section.getAttribute("data-state")) ?? "",
    steps: Object.fromEntries(await Promise.all(states)),
    answer: await section.locator("[role=status]").innerText(),
  };
}

const allVerified = Object.fromEntries(
  ["checkpoint", "inclusion", "signatures", "verdict", "page", "operators"].map((step) => [step, "verified"]),
);

/** The steps up to this one hold, it does not, and those after it were not looked at. */
function failsAt(failing: string) {
  const names = Object.keys(allVerified);
  const at = names.indexOf(failing);
  return Object.fromEntries(names.map((name, index) => [name, index < at ? "verified" : index === at ? "contradicted" : null]));
}

describe("the check in the browser", () => {
  test("verifies an honest page with the code of the command line, every step of it", async () => {
    await using opened = await browser.open(`${site.url}${artifactPath}`);
    const { state, steps, answer } = await checked(opened.page);
    expect({ state, steps }).toEqual({ state: "verified", steps: allVerified });
    expect(answer).toContain("ada, bert rebuilt it bit for bit");
    expect(await opened.page.evaluate(askedBeforeFirstPaint)).toEqual([]);
    expect(opened.complaints).toEqual([]);
    expect(await accessibilityProblems(opened.page)).toEqual([]);
    await saveScreenshot(opened.page, "check-verified");
  });

  test("obeys the policy that the reader edits, and keeps it until the reader takes the network's again", async () => {
    await using opened = await browser.open(`${site.url}${artifactPath}`);
    await checked(opened.page);
    await opened.page.locator("#check summary").click();
    const policy = opened.page.getByLabel("Your policy");
    await policy.fill((await policy.inputValue()).replace("threshold 2", "threshold 3"));
    await opened.page.getByRole("button", { name: "Check again" }).click();
    const { state, steps, answer } = await checked(opened.page);
    expect({ state, steps }).toEqual({ state: "contradicted", steps: failsAt("operators") });
    expect(answer).toContain("3 of the 3 operators of your policy are needed");
    await opened.page.reload();
    expect(await checked(opened.page)).toEqual({ state, steps, answer });
    await opened.page.locator("#check summary").click();
    await opened.page.getByRole("button", { name: "Take the suggestion" }).click();
    await opened.page.locator("#check[data-state=verified]").waitFor();
  });

  test.each<[string, string, (honest: string) => string]>([
    ["verdict", "page", (page) => page.replace(/(class="badge )reproduced(">.*?)reproduced/s, "$1mismatch$2mismatch")],
    ["digest of an operator", "page", (page) => page.replaceAll(digestOf("another"), published)],
    ["published digest", "page", (page) => page.replace(`data-sha256="${published}"`, `data-sha256="${digestOf("another")}"`)],
  ])("contradicts a page that lies about the %s", async (_what, step, lie) => {
    await using opened = await browser.open(`${site.url}/`);
    await opened.page.route(`**${artifactPath}`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: lie(await response.text()) });
    });
    await opened.page.goto(`${site.url}${artifactPath}`);
    const { state, steps } = await checked(opened.page);
    expect({ state, steps }).toEqual({ state: "contradicted", steps: failsAt(step) });
    await saveScreenshot(opened.page, "check-contradicted");
  });

  describe("of a page that is given other proofs", () => {
    let opened: WatchedPage;
    let served: Proof;

    beforeAll(async () => {
      served = proof;
      opened = await browser.open(`${site.url}/`);
      await opened.page.route("**/proof/*", (route) => route.fulfill({ body: formatProof(served) }));
      await opened.page.goto(`${site.url}${artifactPath}`);
      await opened.page.locator("#check[data-state=verified]").waitFor();
      await opened.page.locator("#check summary").click();
    });
    afterAll(() => opened?.[Symbol.asyncDispose]());

    test.each<[string, string, (honest: Proof) => Proof]>([
      [
        "a checkpoint of another size",
        "checkpoint",
        (honest) => ({ ...honest, checkpoint: honest.checkpoint.replace(/\n\d+\n/, "\n7\n") }),
      ],
      [
        "too few witnesses",
        "checkpoint",
        (honest) => ({ ...honest, checkpoint: `${honest.checkpoint.split("\n").slice(0, -3).join("\n")}\n` }),
      ],
      [
        "an entry in another's place",
        "inclusion",
        (honest) => ({ ...honest, entries: honest.entries.map((entry) => ({ ...entry, index: 0 })) }),
      ],
      ["a result left out", "verdict", (honest) => ({ ...honest, entries: honest.entries.filter(({ index }) => index !== 9) })],
      ["the build traces left out", "verdict", (honest) => ({ ...honest, traces: [] })],
    ])("does not believe a proof with %s", async (_what, step, change) => {
      served = change(proof);
      await opened.page.getByRole("button", { name: "Check again" }).click();
      const { state, steps } = await checked(opened.page);
      expect({ state, steps }).toEqual({ state: "contradicted", steps: failsAt(step) });
    });
  });
});

describe("what scripts add to pages", () => {
  test("looks up a file by its SHA-256 and sends nothing of it", async () => {
    await using opened = await browser.open(`${site.url}/`);
    await opened.page
      .locator(".drop input")
      .setInputFiles({ name: "any.deb", mimeType: "application/octet-stream", buffer: Buffer.from("reference") });
    await opened.page.waitForURL(`**${artifactPath}`);
    expect(opened.complaints).toEqual([]);
  });

  test("looks up a .deb that is dropped anywhere on the page, and sends nothing of it", async () => {
    await using opened = await browser.open(`${site.url}/`);
    const bodies: string[] = [];
    opened.page.on("request", (request) => bodies.push(`${request.method()} ${request.postData() ?? ""}`));
    await opened.page.locator(".drop").waitFor();
    const transfer = await opened.page.evaluateHandle((content) => {
      const dropped = new DataTransfer();
      dropped.items.add(new File([content], "any.deb"));
      return dropped;
    }, "reference");
    for (const event of ["dragover", "drop"]) await opened.page.dispatchEvent("main", event, { dataTransfer: transfer });
    await opened.page.waitForURL(`**${artifactPath}`);
    expect(new Set(bodies)).toEqual(new Set(["GET "]));
    expect(opened.complaints).toEqual([]);
  });

  test("suggests pages while somebody types, and is led through them by the keyboard", async () => {
    await using opened = await browser.open(`${site.url}/`);
    const box = opened.page.getByRole("combobox");
    await box.pressSequentially("ma");
    const option = opened.page.getByRole("option", { name: "mailgraph" });
    await option.waitFor();
    expect(await box.getAttribute("aria-expanded")).toBe("true");
    expect(await accessibilityProblems(opened.page)).toEqual([]);
    await saveScreenshot(opened.page, "suggestions");
    await box.press("ArrowDown");
    expect(await box.getAttribute("aria-activedescendant")).toBe(await option.getAttribute("id"));
    await box.press("Escape");
    expect(await option.count()).toBe(0);
    await box.fill("ad");
    await opened.page.getByRole("option", { name: "ada" }).waitFor();
    await box.press("ArrowDown");
    await box.press("Enter");
    await opened.page.waitForURL(`**/operator/${operatorNamed("ada")}`);
    expect(opened.complaints).toEqual([]);
  });

  test("shows a build log as it comes, whatever is in it, as text", async () => {
    await using opened = await browser.open(`${site.url}/live/${liveRound.round}`);
    const log = opened.page.getByRole("log", { name: "Build log of ada" });
    await expect.poll(() => log.innerText()).toContain("gnihton");
    expect(await log.innerText()).toContain("dpkg-source: <script>document.title='run'</script>\ndh build ⟨U+202E⟩gnihton\nxxx");
    expect(await opened.page.title()).not.toBe("run");
    expect(opened.complaints).toEqual([]);
    await saveScreenshot(opened.page, "build-log");
  });

  test("without JavaScript the page says the verdict, and how it is checked elsewhere", async () => {
    await using opened = await browser.open(`${site.url}/`, { javaScriptEnabled: false });
    await opened.page.getByRole("searchbox").fill("mailgraph=1.14-20");
    await opened.page.getByRole("button", { name: "Look up", exact: true }).click();
    const text = await opened.page.locator("main").innerText();
    expect(text).toContain("2 of 3 operators rebuilt mailgraph");
    expect(text).toContain("quorate verify mailgraph_1.14-20_all.deb");
    expect(await opened.page.locator(".in-browser").isVisible()).toBe(false);
  });
});
