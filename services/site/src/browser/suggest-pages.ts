/**
 * Suggestions below a search box while somebody types: a combobox whose list is chosen from with the arrow keys (WAI-ARIA authoring
 * practices, combobox with manual selection). Without it the form asks the server as it is.
 */

type Suggestion = { readonly name: string; readonly kind: string; readonly path: string };

const waitMilliseconds = 120;

for (const [at, form] of document.querySelectorAll<HTMLFormElement>("form.search").entries()) {
  const input = form.querySelector<HTMLInputElement>("input[name=q]");
  if (input) suggest(input, `suggestions-${at}`);
}

function suggest(input: HTMLInputElement, id: string): void {
  const list = document.createElement("ul");
  Object.assign(list, { id, className: "suggestions", hidden: true });
  for (const [name, value] of Object.entries({ role: "listbox", "aria-label": "Suggestions" })) list.setAttribute(name, value);
  const states = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id };
  for (const [name, value] of Object.entries(states)) input.setAttribute(name, value);
  input.after(list);

  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = new AbortController();
  const close = () => {
    clearTimeout(timer);
    asked.abort();
    show(input, list, []);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    timer = setTimeout(
      () => void fetchSuggestions(input.value, signal).then((found) => signal.aborted || show(input, list, found)),
      waitMilliseconds,
    );
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!list.hidden) event.preventDefault();
      move(input, list, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      const chosen = list.querySelector<HTMLElement>("[aria-selected=true]");
      if (!chosen) return;
      event.preventDefault();
      location.assign(chosen.dataset["path"] ?? "/");
    }
  });
  input.addEventListener("blur", close);
  // Pressing on an option must not take the focus away first.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => {
    const path = target instanceof Element ? target.closest<HTMLElement>("[data-path]")?.dataset["path"] : undefined;
    if (path !== undefined) location.assign(path);
  });
}

async function fetchSuggestions(typed: string, signal: AbortSignal): Promise<readonly Suggestion[]> {
  if (typed.trim() === "") return [];
  try {
    const response = await fetch(`/search/suggestions?q=${encodeURIComponent(typed)}`, { signal });
    return response.ok ? parseSuggestions(await response.json()) : [];
  } catch {
    // Without suggestions the box is what it is without JavaScript.
    return [];
  }
}

/** What the site's own `/search/suggestions` answers. */
function parseSuggestions(answer: unknown): readonly Suggestion[] {
  return (answer as { suggestions: readonly Suggestion[] }).suggestions;
}

function show(input: HTMLInputElement, list: HTMLUListElement, found: readonly Suggestion[]): void {
  list.replaceChildren(
    ...found.map(({ name, kind, path }, at) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${at}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset["path"] = path;
      const small = document.createElement("small");
      small.textContent = kind;
      option.append(name, " ", small);
      return option;
    }),
  );
  list.hidden = found.length === 0;
  input.setAttribute("aria-expanded", String(found.length > 0));
  input.removeAttribute("aria-activedescendant");
}

function move(input: HTMLInputElement, list: HTMLUListElement, by: number): void {
  const options = [...list.children];
  const chosenBefore = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  // After the last and before the first is the box itself.
  const places = options.length + 1;
  const to = ((chosenBefore === -1 ? options.length : chosenBefore) + by + places) % places;
  for (const [at, option] of options.entries()) option.setAttribute("aria-selected", String(at === to));
  const chosen = options[to];
  if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
  else input.removeAttribute("aria-activedescendant");
  chosen?.scrollIntoView({ block: "nearest" });
}
