import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serve } from "@quorate/client/local-server.fixture";
import { verdictPageSchema } from "@quorate/protocol/verdict-line";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { expect, test } from "vitest";
import { z } from "zod";
import { parseApiDescription } from "./api-description.ts";
import { startTestSite } from "./site.fixture.ts";

const network = new TestNetwork();
network.rebuild();

/** Addresses below `/v1/` that the sources name, as OpenAPI writes them. */
function namedPaths(): string[] {
  const texts = globSync("*-routes.ts", { cwd: import.meta.dirname }).map((file) => readFileSync(join(import.meta.dirname, file), "utf8"));
  const paths = texts.flatMap((text) => [...text.matchAll(/app\.(?:get|post)\(\s*"(\/v1\/[^"]+)"/g)].map(([, path]) => path ?? ""));
  return paths.map((path) => path.replaceAll(/:(\w+)/g, "{$1}"));
}

test("every route of the API is described, with what it takes and answers", async () => {
  await using site = await startTestSite(network);
  const { paths } = parseApiDescription(JSON.parse((await site.get("/v1/openapi.json")).text));
  expect(namedPaths()).toContain("/v1/verdicts");
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(namedPaths()));
  expect(Object.keys(paths).filter((path) => !path.startsWith("/v1/"))).toEqual([]);
});

test("what is answered fits what is described", async () => {
  await using site = await startTestSite(network);
  const { paths } = parseApiDescription(JSON.parse((await site.get("/v1/openapi.json")).text));
  const schema = paths["/v1/verdicts"]?.get?.responses["200"]?.content?.["application/json"]?.schema;
  const described = z.fromJSONSchema(z.record(z.string(), z.any()).parse(schema));
  const { text } = await site.get("/v1/verdicts");
  expect(verdictPageSchema.parse(JSON.parse(text)).verdicts).toHaveLength(1);
  expect(described.safeParse(JSON.parse(text)).success).toBe(true);
  expect(described.safeParse({ ...JSON.parse(text), size: "7" }).success).toBe(false);
});

test("the reference shows what the coordinator describes as text, whatever it says, and goes without it", async () => {
  const operation = { summary: "<script>alert(1)</script>", responses: {} };
  const description = { openapi: "3.1.0", info: { title: "<b>other</b>", description: "" }, paths: { "/v1/x": { get: operation } } };
  await using coordinator = await serve((_request, response) => response.end(JSON.stringify(description)));
  await using site = await startTestSite(network, { coordinatorUrl: coordinator.url });
  const { text } = await site.get("/docs/api");
  expect(text).toContain("GET /v1/verdicts");
  expect(text).toContain("&lt;b&gt;other&lt;/b&gt;");
  expect(text).not.toContain("<script>alert");
  await using alone = await startTestSite(network);
  expect((await alone.get("/docs/api")).text).toContain("The coordinator does not answer now");
});
