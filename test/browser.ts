import { AxeBuilder } from "@axe-core/playwright";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Debian's Chromium, with every page watched: what its console says, and whom it asks. */
export type WatchedBrowser = AsyncDisposable & {
  open(url: string, options?: BrowserContextOptions): Promise<WatchedPage>;
};

export type WatchedPage = AsyncDisposable & {
  readonly page: Page;
  /** Errors on the console, uncaught errors, and requests to another origin; each page should have none. */
  readonly complaints: readonly string[];
};

/** Where pictures of pages are kept for people to look at; not in the repository. */
const screenshotDirectory = join(import.meta.dirname, "../.quorate/screenshots");

export async function launchBrowser(): Promise<WatchedBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    // Tests run as root, where Chromium has no sandbox of its own; /dev/shm is small in containers.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  return {
    async open(url, options = {}) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => message.type() === "error" && complaints.push(`console: ${message.text()}`));
      page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
      page.on("request", (request) => new URL(request.url()).origin !== new URL(url).origin && complaints.push(`asked ${request.url()}`));
      await page.goto(url);
      return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** The rules of axe whose findings depend on colours. */
export const colourRules = ["color-contrast", "link-in-text-block"];

/** What axe finds wrong with a page, one line each; by all its rules, or by these alone. */
export async function accessibilityProblems(page: Page, rules?: readonly string[]): Promise<string[]> {
  const options = { resultTypes: ["violations" as const], ...(rules && { runOnly: [...rules] }) };
  // No page has frames: axe need not put together what it finds in each of them.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().options(options).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(" ")}: ${failureSummary}`),
  );
}

export async function saveScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshotDirectory, { recursive: true });
  await page.screenshot({ path: join(screenshotDirectory, `${name}.png`), fullPage: true });
}
