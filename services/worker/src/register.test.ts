import { parseWorkerStatement } from "@quorate/attestation/worker-statement";
import { verifyEnvelope } from "@quorate/attestation/dsse";
import { createUserKey } from "@quorate/bus/user-credentials";
import type { Api } from "@quorate/client/api";
import { ApiError } from "@quorate/client/http";
import { sha256Of } from "@quorate/protocol/digest";
import type { OperatorView } from "@quorate/protocol/operator-view";
import { utf8 } from "@quorate/protocol/utf8";
import type { WorkerCredentials } from "@quorate/protocol/worker";
import { silentLogger } from "@quorate/service/logger";
import { NotPermittedError } from "@quorate/service/run";
import { operatorSignerOf } from "@quorate/signing/operator-signer";
import { p256SignerOf, verifyP256 } from "@quorate/signing/p256-key";
import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createWorkerEvents } from "./events.ts";
import { keepRegistered, register, type RegisterOptions, renewalMilliseconds } from "./register.ts";

beforeEach(() => void vi.useFakeTimers({ now: new Date("2026-11-23T00:00:00Z") }));
afterEach(() => void vi.useRealTimers());

const signer = operatorSignerOf(p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey));
const network = sha256Of(utf8("network key"));
const never = (signal: AbortSignal) => new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

function credentialsFor(hours: number): WorkerCredentials {
  const natsJwtExpiresAt = new Date(Date.now() + hours * 3600_000).toISOString();
  return { operator: signer.operator, natsUrls: ["nats://127.0.0.1:4222"], natsJwt: `jwt of ${natsJwtExpiresAt}`, natsJwtExpiresAt };
}

function viewOf(state: OperatorView["state"]): OperatorView {
  const keys = { firstKey: "", identityKey: "" };
  return { operator: signer.operator, state, name: "Ada", groups: {}, architectures: ["all"], ...keys, reason: "unknown to us" };
}

function optionsWith(registerWorker: Api["registerWorker"], state: OperatorView["state"] = "pending"): RegisterOptions {
  const capabilities = { architectures: ["amd64", "all"], cores: 2, memoryMib: 4096, diskMib: 16_384, tags: ["solar"] };
  const said = { signer, network, worker: createUserKey().publicKey, name: "attic", capabilities };
  const api = { registerWorker, operator: async () => viewOf(state) };
  return { ...said, api, events: createWorkerEvents(silentLogger), signal: new AbortController().signal };
}

const notEnrolled = () => new ApiError("registering", { status: 404 });

test("a registration is the operator's signed word for this worker at this network, and what it can do", async () => {
  const sent: string[] = [];
  const options = optionsWith(async (envelope) => (sent.push(envelope), credentialsFor(1)));
  await register(options);
  const { envelope, statement } = parseWorkerStatement(utf8(sent[0] ?? ""));
  expect(() => verifyEnvelope(envelope, [signer.identity], verifyP256)).not.toThrow();
  expect(statement).toMatchObject({ action: "register", operator: signer.operator, network, saidAt: "2026-11-23T00:00:00Z" });
  expect(statement).toMatchObject({ worker: options.worker, name: "attic", capabilities: options.capabilities });
});

test("a worker whose operator is not admitted yet waits until it is", async () => {
  let asked = 0;
  const done = register(
    optionsWith(async () => {
      if (++asked < 4) throw notEnrolled();
      return credentialsFor(1);
    }),
  );
  await vi.advanceTimersByTimeAsync(60_000);
  await expect(done).resolves.toMatchObject({ operator: signer.operator });
  expect(asked).toBe(4);
});

test("a worker whose operator the network has refused ends with the reason", async () => {
  const refused = optionsWith(async () => {
    throw notEnrolled();
  }, "refused");
  await expect(register(refused)).rejects.toThrow(/the network has refused operator .*: unknown to us/);
});

test("credentials for another operator are refused", async () => {
  const other = optionsWith(async () => ({ ...credentialsFor(1), operator: `${signer.operator.slice(1)}0` as typeof signer.operator }));
  await expect(register(other)).rejects.toThrow(/answered for operator/);
});

test("credentials are renewed at half of their life, over and over", async () => {
  const stop = new AbortController();
  const renewed: string[] = [];
  const options = { ...optionsWith(async () => credentialsFor(10)), signal: stop.signal };
  const done = keepRegistered(options, credentialsFor(10), { renewed: (jwt) => renewed.push(jwt), untilRefused: never });
  await vi.advanceTimersByTimeAsync(4.9 * 3600_000);
  expect(renewed).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(10 * 3600_000);
  expect(renewed).toHaveLength(2);
  stop.abort();
  await done;
});

test("credentials that the transport refuses are renewed soon", async () => {
  const stop = new AbortController();
  const renewed: string[] = [];
  let refusals = 1;
  const options = { ...optionsWith(async () => credentialsFor(10)), signal: stop.signal };
  const untilRefused = (signal: AbortSignal) => (refusals-- > 0 ? Promise.resolve() : never(signal));
  const done = keepRegistered(options, credentialsFor(10), { renewed: (jwt) => renewed.push(jwt), untilRefused });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(renewed).toHaveLength(1);
  stop.abort();
  await done;
});

test.each([
  ["dismissed", true],
  ["revoked", true],
  ["not-signed-by-operator", false],
])("a registration that is refused because it is %s ends the keeping, for ever: %s", async (name, isForEver) => {
  const problem = { type: `https://quorate.dev/problems/${name}`, title: name, status: 403, detail: "gone" };
  const refused = new ApiError("registering", { status: 403, problem });
  const options = optionsWith(async () => {
    throw refused;
  });
  const done = keepRegistered(options, credentialsFor(10), { renewed: () => undefined, untilRefused: async () => undefined });
  const outcome = done.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(5_000);
  const ended = await outcome;
  expect(ended instanceof NotPermittedError).toBe(isForEver);
  expect(ended instanceof NotPermittedError ? ended.cause : ended).toBe(refused);
});

test("a renewal comes at least daily and never in a rush", () => {
  expect(renewalMilliseconds("2027-11-23T00:00:00Z", Date.now())).toBe(24 * 3600 * 1000);
  expect(renewalMilliseconds("2026-11-22T00:00:00Z", Date.now())).toBe(10_000);
});
