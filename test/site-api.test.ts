import { digestOf } from "@quorate/attestation/nouns.fixture";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSite, type TestSite } from "../services/site/src/site.fixture.ts";
import { DescribedApi } from "./described-api.ts";

const known: Record<string, string> = {
  distribution: "debian",
  suite: "bookworm",
  name: "mailgraph",
  id: operatorNamed("ada"),
  sha256: digestOf("reference"),
  format: "json",
};
const strange = ["nope", "a".repeat(3000), "%E0%A4%A", "%00", encodeURIComponent("<b>\u202e")];

let site: TestSite;
let api: DescribedApi;
beforeAll(async () => {
  const network = new TestNetwork();
  network.rebuild();
  site = await startTestSite(network);
  api = new DescribedApi(JSON.parse((await site.get("/v1/openapi.json")).text));
});
afterAll(() => site?.[Symbol.asyncDispose]());

const filled = (path: string, valueOf: (name: string) => string | undefined) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => valueOf(name) ?? `no value is known for ${name}`);

async function complaintsOf(path: string, asked: string, headers: Record<string, string> = {}) {
  const answer = await site.get(asked, headers);
  return { status: answer.status, complaints: api.complaints(path, answer).map((complaint) => `${asked.slice(0, 80)}: ${complaint}`) };
}

test("every route of the site's API answers what exists with what its OpenAPI document says", async () => {
  expect(api.paths).toContain("/v1/verdicts");
  for (const path of api.paths) {
    expect(
      await complaintsOf(
        path,
        filled(path, (name) => known[name]),
      ),
    ).toEqual({ status: 200, complaints: [] });
    if (!path.includes("{format}")) continue;
    expect(
      await complaintsOf(
        path,
        filled(path, (name) => ({ ...known, format: "atom" })[name]),
      ),
    ).toEqual({ status: 200, complaints: [] });
  }
  const lines = await complaintsOf("/v1/verdicts", "/v1/verdicts?since=0", { accept: "application/x-ndjson" });
  expect(lines).toEqual({ status: 200, complaints: [] });
});

test("every refusal of the site's API is a problem as its OpenAPI document says", async () => {
  const statuses = new Set<number>();
  for (const path of api.paths.filter((each) => each.includes("{"))) {
    for (const value of strange) {
      const { status, complaints } = await complaintsOf(
        path,
        filled(path, () => value),
      );
      statuses.add(status);
      expect(complaints).toEqual([]);
    }
  }
  expect([...statuses]).toEqual(expect.arrayContaining([400, 404]));
  expect(await complaintsOf("/v1/verdicts", "/v1/verdicts?since=x&limit=0")).toEqual({ status: 400, complaints: [] });
});

test("an answer that differs from its description is noticed", async () => {
  const answer = await site.get("/v1/verdicts");
  const altered = { ...JSON.parse(answer.text), size: "7" };
  expect(api.complaints("/v1/verdicts", { ...answer, text: JSON.stringify(altered) })).not.toEqual([]);
  expect(api.complaints("/v1/verdicts", { ...answer, headers: new Headers({ "content-type": "text/html" }) })).not.toEqual([]);
});

test("every example in the site's OpenAPI document is one of what it describes", () => {
  const { examples, complaints } = api.complaintsOfExamples();
  expect(complaints).toEqual([]);
  expect(examples).toBeGreaterThan(10);
});
