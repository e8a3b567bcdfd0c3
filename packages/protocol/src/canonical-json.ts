/**
 * Canonical JSON: object keys sorted by UTF-16 code unit, no white space, integers only. This is RFC 8785 (JCS) restricted to
 * integers, so that one value has exactly one spelling and a digest of it is well defined; zero has no sign.
 *
 *     formatCanonicalJson({ b: 1, a: [true, null] }) === '{"a":[true,null],"b":1}'
 *
 * Properties whose value is `undefined` are left out, as JSON.stringify does.
 *
 * @throws TypeError for numbers that are not safe integers, for lone surrogates, and for values that JSON cannot hold
 */
export function formatCanonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return formatText(value);
  if (typeof value === "number") return formatInteger(value);
  if (Array.isArray(value)) return formatArray(value);
  if (typeof value === "object") return formatObject(value as Record<string, unknown>);
  throw new TypeError(`canonical JSON cannot hold a ${typeof value}`);
}

/** Characters that JSON writes as they are; no lone surrogate is among them. */
const plainText = /^[ !#-[\]-~]*$/;

function formatText(text: string): string {
  if (plainText.test(text)) return '"' + text + '"';
  if (!text.isWellFormed()) throw new TypeError("canonical JSON cannot hold a lone surrogate");
  return JSON.stringify(text);
}

function formatInteger(number: number): string {
  if (!Number.isSafeInteger(number)) throw new TypeError(`canonical JSON holds safe integers only, not ${number}`);
  return String(number);
}

// Loops over text, as replaying a log formats each of its entries to compare the spelling.
function formatArray(items: readonly unknown[]): string {
  let text = "";
  for (const item of items) text += text === "" ? formatCanonicalJson(item) : "," + formatCanonicalJson(item);
  return "[" + text + "]";
}

function formatObject(object: Record<string, unknown>): string {
  let text = "";
  for (const key of sortedKeys(object)) {
    const value = object[key];
    if (value !== undefined) text += (text === "" ? "" : ",") + formatText(key) + ":" + formatCanonicalJson(value);
  }
  return "{" + text + "}";
}

function sortedKeys(object: Record<string, unknown>): string[] {
  const keys = Object.keys(object);
  let last = "";
  for (const key of keys) {
    if (key < last) return keys.sort();
    last = key;
  }
  return keys;
}
