import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import { serve, type Served } from "../../services/coordinator/src/webhooks/serve.fixture.ts";
import { type Answer, quorate } from "../quorate.ts";

let network: TestNetwork;
let endpoint: Served;
beforeAll(async () => {
  network = await startTestNetwork({ sources: [{ source: "alpha", version: "1.0", architecture: "all" }] });
  endpoint = await serve((_request, response) => response.writeHead(503).end());
});
afterAll(async () => {
  await endpoint?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

async function webhook(...words: readonly string[]): Promise<Answer> {
  return await quorate(["webhook", ...words], { env: { QUORATE_URL: network.url, QUORATE_TOKEN: network.config.API_TOKEN } });
}

test("a project has a webhook from the command line: its secret alone is printed, and what came of a message is shown", async () => {
  const created = await webhook("create", endpoint.url);
  expect(created).toMatchObject({ code: 0, stdout: expect.stringMatching(/^whsec_[\w+/]{43}=\n$/) });
  const [id = ""] = /^[\da-f-]{36}/.exec(created.stderr) ?? [];
  expect((await webhook("list")).stdout).toContain(`${id}  ${endpoint.url}`);
  expect((await webhook("ping", id)).stdout).toContain(`quorate webhook messages ${id}`);
  await expect
    .poll(async () => (await webhook("messages", id)).stdout, { timeout: 20_000 })
    .toMatch(/ping {2}waiting, next attempt .*\n.*answered 503 after \d+ ms/);
  expect((await webhook("remove", id)).stdout).toMatch(new RegExp(`^removed ${id}`));
  expect(await webhook("list", "--json")).toMatchObject({ code: 0, stdout: '{"webhooks":[]}\n' });
});

test.each([
  ["an endpoint that is no URL", ["create", "qa.example"], /creating a webhook to "qa\.example": it must be an https URL/],
  ["a URL with a password", ["create", "https://a:b@qa.example/"], /must have no user name and no password in it/],
  ["an id that is none", ["ping", "7"], /finding webhook "7": this is no webhook's id; `quorate webhook list` shows them/],
  ["a webhook that is not there", ["remove", "00000000-0000-4000-8000-000000000000"], /removing webhook .*project first has no webhook/],
])("%s is refused, and it is said why", async (_name, words, expected) => {
  expect(await webhook(...words)).toMatchObject({ code: 1, stderr: expect.stringMatching(expected) });
});
