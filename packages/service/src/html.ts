class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Markup that is safe to send. `html` makes it, so whatever else is interpolated is escaped. */
export type Html = Markup;

/** What may stand in a template: markup as it is, text escaped, lists one after the other, nothing for what is absent. */
export type Content = Html | string | number | undefined | false | readonly Content[];

/**
 * Markup with values in it. Values may be element content or stand between the quotes of an attribute, and nowhere else.
 *
 *     html`<a href="/search?q=${query}">${name}</a>`
 */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Markup(parts.reduce((markup, part, at) => `${markup}${markupOf(values[at - 1])}${part}`));
}

/** Markup that was made elsewhere by something that escapes: a constant, or a renderer of Markdown. */
export function trustedMarkup(text: string): Html {
  return new Markup(text);
}

function markupOf(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Markup) return content.toString();
  if (typeof content === "string") return escapeText(content);
  if (typeof content === "number") return String(content);
  return content.map(markupOf).join("");
}

const special: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Characters that no reader sees or that change the order in which others are shown, except the line feed and the tab. */
const unseen = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const unsafe = new RegExp(`[&<>"']|${unseen.source}`, "gu");

/** Text with unseen characters shown by their number, as `⟨U+202E⟩`; not yet escaped. */
export function visibleText(text: string): string {
  return text.replace(unseen, shownNumber);
}

/** Text for element content and quoted attributes; unseen characters are shown by their number. */
export function escapeText(text: string): string {
  return text.replace(unsafe, (character) => special[character] ?? shownNumber(character));
}

function shownNumber(character: string): string {
  return `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
