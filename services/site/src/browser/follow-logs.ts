/** Build logs of a round, line by line as they come. Lines are put in as text. */

type LogPart = { readonly operator: string; readonly phase: string; readonly activity?: string; readonly lines: readonly string[] };

const maxLines = 2000;
const place = document.querySelector<HTMLElement>("#logs");

if (place) {
  const events = new EventSource(`/live/${place.dataset["round"]}/events`);
  // After a break the last lines come again, all of them.
  events.addEventListener("open", () => place.querySelectorAll("pre").forEach((log) => log.replaceChildren()));
  // Parts that come while a section is fetched wait for it, and so keep their order.
  let shown = Promise.resolve();
  events.addEventListener("log", ({ data }: MessageEvent<string>) => {
    shown = showAfter(shown, place, parseLogPart(data));
  });
}

async function showAfter(before: Promise<void>, place: HTMLElement, part: LogPart): Promise<void> {
  await before;
  // The page may have been loaded before this operator was drawn.
  const section = sectionOf(place, part.operator) ?? (await fetchSection(place, part.operator));
  if (section) show(section, part);
}

function sectionOf(from: ParentNode, operator: string): HTMLElement | undefined {
  return [...from.querySelectorAll<HTMLElement>("[data-operator]")].find(({ dataset }) => dataset["operator"] === operator);
}

/** Adds an operator's section as the page has it now, if it has one. */
async function fetchSection(place: HTMLElement, operator: string): Promise<HTMLElement | undefined> {
  try {
    const response = await fetch(location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const section = sectionOf(page, operator);
    if (!section) return undefined;
    place.querySelector(".none")?.remove();
    place.append(section);
    return section;
  } catch {
    // The next part asks again.
    return undefined;
  }
}

/** What the site's own `live-logs.ts` sends. */
function parseLogPart(data: string): LogPart {
  return JSON.parse(data) as LogPart;
}

function show(section: Element, { phase, activity, lines }: LogPart): void {
  const [state, doing, log] = [section.querySelector(".phase"), section.querySelector(".activity"), section.querySelector("pre")];
  if (!state || !doing || !log) return;
  state.className = `phase ${phase}`;
  state.textContent = phase;
  doing.textContent = activity ?? "";
  // Who has scrolled back reads on undisturbed.
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(...lines.map((line) => document.createTextNode(`${line}\n`)));
  while (log.childNodes.length > maxLines) log.firstChild?.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}
