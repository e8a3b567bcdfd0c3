/** Thrown by every parser of outside input: `what` names the thing that was being parsed, `text` shows (a bounded piece of) what stood there. */
export class ParseError extends Error {
  readonly what: string;

  constructor(what: string, text: string, options?: { cause?: unknown }) {
    super(`parsing ${what}: ${excerpt(text)}`, options);
    this.name = "ParseError";
    this.what = what;
  }
}

function excerpt(text: string): string {
  const shown = text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
  return JSON.stringify(shown);
}
