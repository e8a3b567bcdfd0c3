import type { Check, CheckStep, PageClaim } from "./verification.ts";

/** The check of an artifact's page: each step turns green, or red with the reason. */

const section = document.querySelector<HTMLElement>("#check");
const panel = section?.querySelector<HTMLElement>(".in-browser");
const policy = section?.querySelector<HTMLTextAreaElement>("textarea");
const answer = section?.querySelector<HTMLElement>("[role=status]");

if (section && panel && policy && answer) {
  panel.hidden = false;
  panel.querySelector(".again")?.addEventListener("click", () => {
    keepPolicy(policy.value);
    void check(section, policy, answer);
  });
  panel.querySelector(".forget")?.addEventListener("click", () => {
    keepPolicy(undefined);
    policy.value = "";
    void check(section, policy, answer);
  });
  // What checks the page is ten times as large as it: it comes once the page has been shown.
  requestAnimationFrame(() => setTimeout(() => void check(section, policy, answer)));
}

async function check(from: HTMLElement, policyInput: HTMLTextAreaElement, status: HTMLElement): Promise<void> {
  from.dataset["state"] = "checking";
  const items = from.querySelectorAll<HTMLElement>("[data-step]");
  for (const item of items) delete item.dataset["state"];
  // What an earlier check found is not said of this one.
  const line = document.querySelector<HTMLElement>(".verdict .checked");
  if (line) line.hidden = true;
  status.textContent = "Fetching the proof …";
  try {
    policyInput.value ||= keptPolicy() ?? (await textOf("/policy"));
    const proof = await textOf(`/proof/${from.dataset["sha256"]}`);
    status.textContent = "Checking …";
    // Only who checks loads what checks.
    const { checkPage } = await import("./verification.ts");
    const outcome = checkPage({
      proof,
      policy: policyInput.value,
      page: pageClaim(from),
      onVerified: (step) => mark(items, step, "verified"),
    });
    show({ from, status, items }, outcome);
  } catch (error) {
    from.dataset["state"] = "unable";
    status.textContent = `It could not be checked now: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const policyKey = "quorate-policy";

/** The reader's own policy, which stays in the browser: a site that lies may suggest another one. */
function keptPolicy(): string | undefined {
  try {
    return localStorage.getItem(policyKey) ?? undefined;
  } catch {
    // Some browsers keep nothing.
    return undefined;
  }
}

function keepPolicy(policy: string | undefined): void {
  try {
    if (policy === undefined) localStorage.removeItem(policyKey);
    else localStorage.setItem(policyKey, policy);
  } catch {
    // It holds for this page.
  }
}

function pageClaim({ dataset }: HTMLElement): PageClaim {
  const cells = document.querySelectorAll<HTMLElement>(`[data-round="${dataset["round"]}"] td[data-operator]`);
  return {
    file: document.querySelector("h1")?.textContent.trim() ?? "",
    sha256: dataset["sha256"] ?? "",
    outcome: document.querySelector(".verdict .badge")?.textContent.trim() ?? "",
    verdictIndex: document.querySelector(".verdict .when a")?.textContent.trim() ?? "",
    round: dataset["round"] ?? "",
    cells: Array.from(cells, (cell) => ({
      operator: cell.dataset["operator"] ?? "",
      file: cell.dataset["file"] ?? "",
      sha256: cell.querySelector<HTMLElement>(".digest")?.title ?? "",
    })),
  };
}

type View = { from: HTMLElement; status: HTMLElement; items: NodeListOf<HTMLElement> };

function show(view: View, outcome: Check): void {
  showAnswer(view, outcome);
  const line = document.querySelector<HTMLElement>(".verdict .checked");
  const link = line?.querySelector("a");
  if (!line || !link) return;
  line.hidden = false;
  line.dataset["state"] = view.from.dataset["state"];
  link.textContent = outcome.kind === "contradicted" ? "✗ Not verified in this browser" : "✓ Verified in this browser";
}

function showAnswer({ from, status, items }: View, outcome: Check): void {
  switch (outcome.kind) {
    case "reproduced":
      from.dataset["state"] = "verified";
      status.textContent = `Verified in this browser: ${outcome.names.join(", ")} rebuilt it bit for bit; ${outcome.witnesses.join(", ")} cosigned the log.`;
      return;
    case "confirmed":
      from.dataset["state"] = "verified";
      for (const item of items) if (item.dataset["state"] === undefined) item.dataset["state"] = "not-asked";
      status.textContent = `Verified in this browser: the verdict is ${outcome.outcome}, as this page says; ${outcome.witnesses.join(", ")} cosigned the log.`;
      return;
    default: {
      from.dataset["state"] = "contradicted";
      const failed = Array.from(items).find((item) => item.dataset["state"] === undefined);
      if (failed) failed.dataset["state"] = "contradicted";
      status.textContent = `Not verified: ${outcome.reason}`;
    }
  }
}

function mark(items: NodeListOf<HTMLElement>, step: CheckStep, state: string): void {
  for (const item of items) if (item.dataset["step"] === step) item.dataset["state"] = state;
}

async function textOf(path: string): Promise<string> {
  const response = await fetch(path);
  if (response.ok) return await response.text();
  const problem: unknown = await response.json().catch(() => ({}));
  const detail = typeof problem === "object" && problem !== null && "detail" in problem ? String(problem.detail) : `${response.status}`;
  throw new Error(detail);
}
