import fc from "fast-check";
import { expect, test } from "vitest";
import { formatCanonicalJson } from "./canonical-json.ts";

test("one value has one spelling, whatever the order of its keys", () => {
  expect(formatCanonicalJson({ b: 1, a: [true, null, "é\n"] })).toBe('{"a":[true,null,"é\\n"],"b":1}');
  expect(formatCanonicalJson({ a: [true, null, "é\n"], b: 1 })).toBe(formatCanonicalJson({ b: 1, a: [true, null, "é\n"] }));
});

test("formatting what was parsed gives the same text", () => {
  const integers = fc.jsonValue({ noUnicodeString: false }).filter((value) => !/\d\.\d|e[+-]|-0(?!\d)/.test(JSON.stringify(value)));
  fc.assert(
    fc.property(integers, (value) => {
      let text: string;
      try {
        text = formatCanonicalJson(value);
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        return;
      }
      expect(formatCanonicalJson(JSON.parse(text))).toBe(text);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test.each([[1.5], [Number.NaN], [2 ** 53], ["\ud800"], [() => 1], [1n], [{ a: { b: [Symbol("x")] } }]])("refuses %s", (value) => {
  expect(() => formatCanonicalJson(value)).toThrow(TypeError);
});

test("leaves out properties without a value", () => {
  expect(formatCanonicalJson({ a: undefined, b: 2 })).toBe('{"b":2}');
});
