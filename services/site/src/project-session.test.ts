import fc from "fast-check";
import { expect, it } from "vitest";
import { formatEndedCookie, formatSessionCookie, parseSessionCookie, refuseCrossSite } from "./project-session.ts";

const tokenCharacters = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));

it("reads from a cookie what it wrote there, whatever signs a token has and whatever other cookies there are", () => {
  fc.assert(
    fc.property(fc.string({ unit: tokenCharacters, minLength: 1, maxLength: 512 }), fc.boolean(), (token, isSecure) => {
      const [pair = ""] = formatSessionCookie(token, isSecure).split("; ");
      expect(parseSessionCookie(`theme=dark; ${pair}; other_quorate_project=x`)).toBe(token);
    }),
  );
});

it("finds no token in what is none, and refuses no header by an error", () => {
  for (const header of [
    undefined,
    "",
    "quorate_project=",
    "quorate_project=%",
    "x_quorate_project=YWJj",
    "quorate_project=_w",
    formatEndedCookie(true),
  ])
    expect(parseSessionCookie(header), header).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => void parseSessionCookie(text)));
});

it("is kept from scripts and from other sites' requests, and over TLS from being sent without", () => {
  expect(formatSessionCookie("abc", false)).toBe("quorate_project=YWJj; Path=/project; HttpOnly; SameSite=Strict");
  for (const cookie of [formatSessionCookie("abc", true), formatEndedCookie(true)])
    expect(cookie).toMatch(/; Path=\/project; HttpOnly; SameSite=Strict; Secure$/);
});

it.each([
  [undefined, undefined, true],
  ["http://site.example:8421", undefined, true],
  ["http://other.example", undefined, false],
  ["http://site.example", undefined, false],
  ["null", undefined, false],
  ["https://public.example", "https://public.example/quorate", true],
  ["https://public.example", "https://another.example", false],
])("a form of the origin %s, where the site is known as %s, is taken: %s", (origin, publicUrl, isTaken) => {
  const request = { headers: { origin }, protocol: "http" as const, host: "site.example:8421" };
  const refusal = () => refuseCrossSite(request, publicUrl);
  if (isTaken) expect(refusal).not.toThrow();
  else expect(refusal).toThrow(/another site/);
});
