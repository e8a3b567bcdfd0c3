import { readFileSync, readdirSync } from "node:fs";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { predicateTypes } from "@quorate/protocol/entry";
import { utf8 } from "@quorate/protocol/utf8";
import { expect, test } from "vitest";
import { deploymentType, parseDeployment } from "./deployment.ts";
import { formatEnvelope } from "./dsse.ts";
import { parseStatement } from "./log-statement.ts";
import { parseRuntime, runtimeType } from "./runtime-statement.ts";

const folder = new URL("../../../docs/predicates/", import.meta.url);
const pages = readdirSync(folder).filter((name) => name !== "README.md");
const examples = pages.flatMap((page) =>
  [...readFileSync(new URL(page, folder), "utf8").matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = ""]) => ({ page, json })),
);

test.each(examples)("an example in docs/predicates/$page is a statement", ({ json }) => {
  const payload = utf8(formatCanonicalJson(JSON.parse(json)));
  const parsers = new Map<unknown, (bytes: Uint8Array) => unknown>([
    [deploymentType, parseDeployment],
    [runtimeType, (bytes) => parseRuntime(formatEnvelope({ payload: bytes, signatures: [new Uint8Array(70)] }))],
  ]);
  const parse = parsers.get(JSON.parse(json).predicateType) ?? parseStatement;
  expect(() => parse(payload)).not.toThrow();
});

test("docs/predicates has an example of every predicate type", () => {
  const shown = new Set(examples.map(({ json }): unknown => JSON.parse(json).predicateType));
  expect(shown).toEqual(new Set([...Object.values(predicateTypes), deploymentType, runtimeType]));
});
