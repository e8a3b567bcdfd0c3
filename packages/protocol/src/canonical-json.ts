/**
 * Canonical JSON: object keys sorted by UTF-16 code unit, no white space, integers only. This is RFC 8785 (JCS) restricted to
 * integers, so that one value has exactly one spelling and a digest of it is well defined.
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
  if (Array.isArray(value)) return `[${value.map(formatCanonicalJson).join(",")}]`;
  if (typeof value === "object") return formatObject(value as Record<string, unknown>);
  throw new TypeError(`canonical JSON cannot hold a ${typeof value}`);
}

function formatText(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("canonical JSON cannot hold a lone surrogate");
  return JSON.stringify(text);
}

function formatInteger(number: number): string {
  if (!Number.isSafeInteger(number) || Object.is(number, -0)) throw new TypeError(`canonical JSON holds safe integers only, not ${number}`);
  return String(number);
}

function formatObject(object: Record<string, unknown>): string {
  const members = Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort((a, b) => (a < b ? -1 : 1))
    .map((key) => `${formatText(key)}:${formatCanonicalJson(object[key])}`);
  return `{${members.join(",")}}`;
}
