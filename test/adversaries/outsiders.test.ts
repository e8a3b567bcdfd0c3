import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request, type RequestOptions } from "node:http";
import { join } from "node:path";
import { createAuthority } from "@quorate/bus/authority";
import { startNatsServer } from "@quorate/bus/nats-server.fixture";
import { createUserKey, mintUser } from "@quorate/bus/user-credentials";
import { connectWorkerBus } from "@quorate/bus/worker-bus";
import { sha256Of } from "@quorate/protocol/digest";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { p256SignerOf } from "@quorate/signing/p256-key";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import { signEnrolment, signRegistration, type TestOperator } from "../../services/coordinator/src/test-operator.fixture.ts";
import { LogConstellation } from "../integration/log-constellation.ts";
import { countsOf } from "./play.ts";

const owned = new AsyncDisposableStack();
let network: TestNetwork;
let ada: TestOperator;

beforeAll(async () => {
  network = owned.use(await startTestNetwork({ sources: [{ source: "alpha", version: "1.0", architecture: "all" }] }));
  ada = await network.enrol("Ada");
});
afterAll(() => owned.disposeAsync());

const problemsCounted = () => countsOf(network.url, "http_problems_total");

/** The status of the answer to a request of which no byte of the body is ever sent. */
async function answerBeforeBody(url: string, options: RequestOptions): Promise<number | undefined> {
  const asking = request(url, { ...options, headers: { ...options.headers, "content-length": 1_000 }, signal: AbortSignal.timeout(5_000) });
  asking.on("error", () => undefined);
  asking.flushHeaders();
  const [answer]: IncomingMessage[] = await once(asking, "response");
  asking.destroy();
  return answer?.statusCode;
}

test("outsider-http", async () => {
  const before = await network.api.stats();
  const refused = (await problemsCounted())['status="401"'] ?? 0;
  const content = utf8("a blob of a stranger");
  const attempts: [method: string, path: string, body: Uint8Array][] = [
    ["POST", "/v1/submissions", utf8(JSON.stringify({ distribution: "debian", suite: "small", source: "alpha" }))],
    ["POST", `/v1/operators/${ada.id}/decision`, utf8(JSON.stringify({ decision: "revoke", reason: "envy" }))],
    ["PUT", `/v1/blobs/sha256/${sha256Of(content)}`, content],
  ];
  const { LOG_TOKEN, API_TOKEN } = network.config;
  let attempted = 0;
  // The log's token, a project's and none at all: each opens its own door and no other.
  for (const [method, path, body] of attempts) {
    const tokens = [undefined, LOG_TOKEN, "guessed", ...(path === "/v1/submissions" ? [] : [API_TOKEN])];
    for (const token of tokens) {
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const headers = { "content-type": method === "PUT" ? "application/octet-stream" : "application/json", ...authorization };
      const { status } = await fetch(`${network.url}${path}`, { method, headers, body: Buffer.from(body) });
      expect([path, token, status]).toEqual([path, token, 401]);
      expect(await answerBeforeBody(`${network.url}${path}`, { method, headers })).toBe(401);
      attempted += 2;
    }
  }
  expect((await problemsCounted())['status="401"']).toBe(refused + attempted);
  // Anybody may ask to take part, and waits for a decision: meanwhile it is nobody, and a code that it made up changes nothing.
  const stranger = p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
  const envelope = textOf(signEnrolment(stranger, "Stranger"));
  await expect(network.api.sendOperatorStatement({ envelope, invitation: "guessed" })).rejects.toMatchObject({ status: 403 });
  expect(await network.api.sendOperatorStatement({ envelope })).toMatchObject({ state: "pending" });
  const registration = textOf(await signRegistration(network.api, stranger, { worker: createUserKey().publicKey }));
  await expect(network.api.registerWorker(registration)).rejects.toMatchObject({ status: 404 });
  expect((await network.api.operators()).map(({ operator }) => operator)).toEqual([ada.id]);
  expect(await network.api.stats()).toEqual(before);
});

test("outsider-nats", async () => {
  const user = createUserKey();
  const anonymous = { urls: [network.config.NATS_URL], userSeed: user.seed, operator: ada.id, signal: AbortSignal.timeout(5_000) };
  const refusals = () => network.natsSaid().filter((line) => line.endsWith("authentication error"));
  await expect(connectWorkerBus({ ...anonymous, jwt: () => "" })).rejects.toThrow("refuses these credentials");
  await expect.poll(refusals).toHaveLength(1);

  const other = owned.use(await LogConstellation.start({ witnesses: 0, quorum: 0 })).directory;
  const authority = await createAuthority(join(other, "authority.json"));
  await using server = await startNatsServer({ authority, directory: join(other, "nats") });
  const expiresAt = new Date(Date.now() + 60_000);
  const jwt = await mintUser({ authority, operator: ada.id, userKey: user.publicKey, expiresAt });
  const elsewhere = await connectWorkerBus({ ...anonymous, urls: [server.url], jwt: () => jwt });
  await elsewhere[Symbol.asyncDispose]();
  await expect(connectWorkerBus({ ...anonymous, jwt: () => jwt })).rejects.toThrow("refuses these credentials");
  await expect.poll(refusals).toHaveLength(2);
});
