/** Build logs of a round, line by line as they come. Lines are put in as text. */

type LogPart = { readonly operator: string; readonly phase: string; readonly activity?: string; readonly lines: readonly string[] };

const maxLines = 2000;
const place = document.querySelector<HTMLElement>("#logs");

if (place) {
  const events = new EventSource(`/live/${place.dataset["round"]}/events`);
  // After a break the last lines come again, all of them.
  events.addEventListener("open", () => place.querySelectorAll("pre").forEach((log) => log.replaceChildren()));
  events.addEventListener("log", ({ data }: MessageEvent<string>) => {
    const part = parseLogPart(data);
    const section = [...place.children].find((one) => one instanceof HTMLElement && one.dataset["operator"] === part.operator);
    if (section) show(section, part);
  });
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
