import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatEnvelope } from "./dsse.ts";
import { type LogStatement, formatStatement } from "./log-statement.ts";
import { sampleStatements } from "./nouns.fixture.ts";
import { predicateTypeOf } from "./predicate-type.ts";

const entryOf = (payload: Uint8Array) => formatEnvelope({ payload, signatures: [utf8("signature")] });

describe("the predicate type of an entry", () => {
  test.each(Object.entries(sampleStatements))("is that of its statement: %s", (_name, statement: LogStatement) => {
    const payload = formatStatement(statement);
    const { predicateType } = JSON.parse(new TextDecoder().decode(payload)) as { predicateType: string };
    expect(predicateTypeOf(entryOf(payload))).toBe(predicateType);
  });

  test("is refused of whatever is no statement", () => {
    for (const text of ["", "null", "[]", "{}", '"predicateType"', '{"predicateType":1}', '{"predicateType":'])
      expect(() => predicateTypeOf(entryOf(utf8(text)))).toThrow(ParseError);
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(() => predicateTypeOf(bytes)).toThrow(ParseError);
      }),
    );
  });
});
