import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { loadSettings } from "@quorate/cli/up/settings";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems, colourRules, launchBrowser, saveScreenshot, type WatchedBrowser } from "../browser.ts";
import { settled, startTestNetwork, type TestNetwork } from "../network.ts";
import { samples } from "../samples.ts";

let net: TestNetwork;
let browser: WatchedBrowser;
const published = new Map<string, Sha256>();

beforeAll(async () => {
  browser = await launchBrowser();
  net = await startTestNetwork([samples.steady, samples.drifted, samples.random]);
  for (const { source } of [samples.steady, samples.drifted]) {
    const { rounds } = await net.rebuild(source);
    published.set(source, parseSha256(rounds[0]?.verdict?.artifacts[0]?.reference ?? ""));
  }
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await net?.[Symbol.asyncDispose]();
});

async function page(path: string): Promise<string> {
  const response = await fetch(`${net.network.siteUrl}${path}`);
  return await response.text();
}

const artifactPath = (source: string): string => `/artifact/${published.get(source)}`;

describe("the site of a network", () => {
  test("shows the verdict of a real rebuild, and who says what, soon after it is in the log", async () => {
    await expect.poll(() => page(artifactPath(samples.steady.source)), { timeout: 10_000 }).toContain("3 of 3 operators rebuilt");
    await expect.poll(() => page(artifactPath(samples.drifted.source)), { timeout: 10_000 }).toContain("agree on other bytes than those");
    const text = await page(artifactPath(samples.steady.source));
    for (const operator of net.network.operators) expect(text).toContain(operator);
  });

  test("leads from the search to the artifact, whose verdict the browser verifies itself", async () => {
    await using opened = await browser.open(net.network.siteUrl);
    await opened.page.getByRole("combobox").fill(`${samples.steady.source}_${samples.steady.version}_all.deb`);
    await opened.page.getByRole("button", { name: "Look up", exact: true }).click();
    const answer = opened.page.locator("#check [role=status]");
    await expect.poll(() => answer.innerText(), { timeout: 60_000 }).toContain("Verified in this browser");
    for (const operator of net.network.operators) expect(await answer.innerText()).toContain(operator);
    expect(await opened.page.locator("[data-step]:not([data-state=verified])").count()).toBe(0);
    expect(opened.complaints).toEqual([]);
  });

  test("shows what is being rebuilt and what the builds print, without the page being loaded again", async () => {
    await using opened = await browser.open(`${net.network.siteUrl}/live`);
    const submission = await net.api.submit({ distribution: "debian", suite: net.suite, source: samples.random.source });
    await using watching = await browser.open(`${net.network.siteUrl}/live/${submission.rounds[0]?.round}`);
    await opened.page.locator("#live").getByRole("link", { name: samples.random.source }).waitFor({ timeout: 60_000 });
    await expect
      .poll(() => watching.page.locator("#logs pre").allInnerTexts(), { timeout: 60_000 })
      .toContainEqual(expect.stringContaining("dpkg"));
    expect(watching.complaints).toEqual([]);
    await settled(net.api, submission);
    await opened.page.locator("#live").getByText("Nothing is being rebuilt").waitFor({ timeout: 60_000 });
    expect(opened.complaints).toEqual([]);
  });

  test("shows what each operator kept of its build, and in what two of them differ", async () => {
    const text = await page(artifactPath(samples.steady.source));
    const [, log = ""] = /href="(\/result\/[^"]+)">build-log/.exec(text) ?? [];
    const response = await fetch(`${net.network.siteUrl}${log}`);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toContain("dpkg-buildpackage");
    const [, comparison = ""] = /href="(\/compare\/[^"]+)"/.exec(text) ?? [];
    expect(await page(comparison)).toMatch(/All \d+ packages are the same.*All \d+ intermediate files are the same/s);
  });

  test("is contradicted in the browser when it shows a mismatch as reproduced", async () => {
    // The site may be writing at this moment.
    using model = new DatabaseSync(join(net.network.layout.directory("site"), "read-model.sqlite"), { timeout: 10_000 });
    model.exec(`UPDATE verdict SET verdict = replace(verdict, '"mismatch"', '"reproduced"')`);
    const path = `${artifactPath(samples.drifted.source)}?asked=again`;
    await using opened = await browser.open(`${net.network.siteUrl}${path}`);
    expect(await opened.page.locator(".verdict .badge").innerText()).toBe("reproduced");
    const failed = opened.page.locator("#check[data-state=contradicted] [data-step][data-state=contradicted]");
    await failed.waitFor();
    expect(await failed.getAttribute("data-step")).toBe("page");
    expect(await opened.page.locator("#check [role=status]").innerText()).toContain("it shows reproduced, and the verdict is mismatch");
  });

  test("has a console for whoever runs it, which pauses it and says so", async () => {
    const settings = await loadSettings(net.network.layout.settings);
    const httpCredentials = { username: "grace", password: settings?.tokens.admin ?? "" };
    await using opened = await browser.open(net.network.consoleUrl, { httpCredentials });
    const { page: shown } = opened;
    await shown.getByRole("button", { name: "Pause" }).click();
    await shown.getByText("The network is paused").waitFor();
    expect(await shown.getByRole("row", { name: "grace pause" }).count()).toBeGreaterThan(0);
    expect(await accessibilityProblems(shown)).toEqual([]);
    await saveScreenshot(shown, "console-light");
    await shown.emulateMedia({ colorScheme: "dark" });
    expect(await accessibilityProblems(shown, colourRules)).toEqual([]);
    await saveScreenshot(shown, "console-dark");
    await shown.getByRole("button", { name: "Resume" }).click();
    await shown.getByText("The network is running").waitFor();
    await shown.getByRole("link", { name: "queues" }).click();
    await shown.getByText("round-steps").first().waitFor();
  });

  test("shows a project its submissions when it has signed in, without a script, until it signs out", async () => {
    await using opened = await browser.open(`${net.network.siteUrl}/project`, { javaScriptEnabled: false });
    const { page: shown } = opened;
    const signIn = async (token: string) => {
      await shown.getByLabel("API token").fill(token);
      await shown.getByRole("button", { name: "Sign in" }).click();
    };
    await signIn("not-a-token-of-this-network");
    await shown.getByRole("alert").getByText("unknown, revoked or expired").waitFor();
    await signIn(net.network.token);
    await shown.getByRole("heading", { name: "Project first" }).waitFor();
    for (const { source } of [samples.steady, samples.drifted]) {
      expect(await shown.getByRole("row", { name: source }).count()).toBe(1);
    }
    expect(await shown.getByRole("row", { name: samples.drifted.source }).innerText()).toContain("mismatch");
    await shown.getByRole("link", { name: /targets that fail/ }).click();
    await shown.getByRole("heading", { name: "Submissions that fail" }).waitFor();
    expect(await shown.getByRole("row", { name: samples.steady.source }).count()).toBe(0);
    const [cookie, ...others] = await shown.context().cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/project", expires: -1 });
    await shown.getByRole("button", { name: "Sign out" }).click();
    await shown.getByLabel("API token").waitFor();
    expect(await shown.context().cookies()).toEqual([]);
    expect(opened.complaints.filter((complaint) => !complaint.includes("status of 401"))).toEqual([]);
  });

  test("shows a project a page that axe has nothing against, light and dark, and that a phone is wide enough for", async () => {
    await using opened = await browser.open(`${net.network.siteUrl}/project`);
    const { page: shown } = opened;
    await shown.getByLabel("API token").fill(net.network.token);
    await shown.getByRole("button", { name: "Sign in" }).click();
    await shown.getByRole("heading", { name: "Project first" }).waitFor();
    expect(await accessibilityProblems(shown)).toEqual([]);
    await saveScreenshot(shown, "project-light");
    await shown.emulateMedia({ colorScheme: "dark" });
    expect(await accessibilityProblems(shown, colourRules)).toEqual([]);
    await shown.setViewportSize({ width: 390, height: 800 });
    expect(await shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBe(0);
    await saveScreenshot(shown, "project-phone");
    expect(opened.complaints).toEqual([]);
  });

  // Last: nothing of the coordinator is asked after it.
  test("can be read while the coordinator is down", async () => {
    const coordinator = net.network.child("coordinator");
    await coordinator?.stop();
    expect(await page(artifactPath(samples.steady.source))).toContain("3 of 3 operators rebuilt");
    expect(await page(`/search?q=${samples.steady.source}`)).toContain(published.get(samples.steady.source));
    expect(await page(`/proof/${published.get(samples.steady.source)}`)).toContain("coordinator");
  });
});
