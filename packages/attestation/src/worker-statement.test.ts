import { ParseError } from "@quorate/protocol/parse-error";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import type { WorkerStatement } from "@quorate/protocol/worker";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatEnvelope } from "./dsse.ts";
import { parseStatement } from "./log-statement.ts";
import { digestOf, operatorOf } from "./nouns.fixture.ts";
import { formatWorkerStatement, parseWorkerStatement } from "./worker-statement.ts";

const worker = `U${"A".repeat(55)}`;
const said = { operator: operatorOf("ada"), worker, network: digestOf("network"), saidAt: "2026-11-23T08:00:00Z" };
const capabilities = { architectures: ["amd64", "all"], cores: 8, memoryMib: 4096, diskMib: 16_384, tags: ["solar"] };
const statements: WorkerStatement[] = [
  { action: "register", ...said, name: "attic", capabilities },
  { action: "dismiss", ...said },
];

const enveloped = (payload: Uint8Array) => formatEnvelope({ payload, signatures: [Uint8Array.of(1)] });

test.each(statements)("what is said to $action a worker comes out as it went in", (statement) => {
  expect(parseWorkerStatement(enveloped(formatWorkerStatement(statement))).statement).toEqual(statement);
});

test.each(statements)("what is said to $action a worker is no entry of the log", (statement) => {
  expect(() => parseStatement(formatWorkerStatement(statement))).toThrow(ParseError);
});

test("another spelling, another subject or one member more is refused", () => {
  const text = textOf(formatWorkerStatement({ action: "dismiss", ...said }));
  const changed = [` ${text}`, text.replace(/"sha256":"."/, '"sha256":"0"'), text.replace('"action":', '"also":1,"action":')];
  const other = formatCanonicalJson({ ...JSON.parse(text), predicateType: "https://quorate.dev/operator/v1" });
  const subject = JSON.parse(text);
  subject.subject[0].digest.sha256 = digestOf("another worker");
  const payloads = [...changed, other, formatCanonicalJson(subject)].filter((payload) => payload !== text);
  expect(payloads.length).toBeGreaterThanOrEqual(4);
  for (const payload of payloads) expect(() => parseWorkerStatement(enveloped(utf8(payload))), payload).toThrow(ParseError);
});

test("no bytes make the parser do anything but return a statement or throw a ParseError", () => {
  const refused = (bytes: Uint8Array): void => void expect(() => parseWorkerStatement(bytes)).toThrow(ParseError);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), refused));
  fc.assert(fc.property(fc.json(), (json) => refused(enveloped(utf8(json)))));
});
