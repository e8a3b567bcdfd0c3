import { parseEntry } from "@quorate/attestation/log-statement";
import { verifyEnvelope } from "@quorate/attestation/dsse";
import { createUserKey } from "@quorate/bus/user-credentials";
import type { EnrolmentAnswer, EnrolmentRequest } from "@quorate/protocol/submission";
import { utf8 } from "@quorate/protocol/utf8";
import { silentLogger } from "@quorate/service/logger";
import { linkSignerOf } from "@quorate/signing/link-key";
import { p256SignerOf, verifyP256 } from "@quorate/signing/p256-key";
import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { architecturesOf, enrol, type EnrolOptions, keepEnrolled, renewalMilliseconds } from "./enrol.ts";
import { createWorkerEvents } from "./events.ts";

beforeEach(() => void vi.useFakeTimers({ now: new Date("2026-11-23T00:00:00Z") }));
afterEach(() => void vi.useRealTimers());

const signer = p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const linkSigner = linkSignerOf(generateKeyPairSync("ed25519").privateKey);
const answer = (hours: number): EnrolmentAnswer => {
  const natsJwtExpiresAt = new Date(Date.now() + hours * 3600_000).toISOString();
  return { operator: signer.operator, natsUrl: "nats://127.0.0.1:4222", natsJwt: `jwt of ${natsJwtExpiresAt}`, natsJwtExpiresAt };
};

function optionsWith(enrol: (request: EnrolmentRequest) => Promise<EnrolmentAnswer>, signal = new AbortController().signal): EnrolOptions {
  const events = createWorkerEvents(silentLogger);
  const { publicKey: natsUserKey } = createUserKey();
  return {
    api: { enrol },
    signer,
    linkSigner,
    name: "Ada",
    groups: { country: "SE" },
    architectures: ["amd64", "all"],
    natsUserKey,
    events,
    signal,
  };
}

test("the enrolment is signed by the operator's own key", async () => {
  const requests: EnrolmentRequest[] = [];
  await enrol(optionsWith(async (request) => (requests.push(request), answer(1))));
  const entry = parseEntry(utf8(requests[0]?.envelope ?? ""));
  const linkKey = Buffer.from(linkSigner.publicKey).toString("base64");
  expect(() => verifyEnvelope(entry.envelope, [signer.spki], verifyP256)).not.toThrow();
  expect(entry.statement).toMatchObject({ predicate: { action: "enrol", operator: signer.operator, groups: { country: "SE" }, linkKey } });
});

test("an answer for another operator is refused", async () => {
  const other = optionsWith(async () => ({ ...answer(1), operator: `0${signer.operator.slice(1)}1`.slice(-32) as typeof signer.operator }));
  await expect(enrol(other)).rejects.toThrow(/answered for operator/);
});

test("credentials are renewed at half of their life, over and over", async () => {
  const stop = new AbortController();
  const renewed: string[] = [];
  const options = optionsWith(async () => answer(10), stop.signal);
  const done = keepEnrolled(options, answer(10), (jwt) => renewed.push(jwt));
  await vi.advanceTimersByTimeAsync(4.9 * 3600_000);
  expect(renewed).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(10 * 3600_000);
  expect(renewed).toHaveLength(2);
  stop.abort();
  await done;
});

test("a renewal comes at least daily and never in a rush", () => {
  expect(renewalMilliseconds("2027-11-23T00:00:00Z", Date.now())).toBe(24 * 3600_000);
  expect(renewalMilliseconds("2026-11-22T00:00:00Z", Date.now())).toBe(10_000);
});

test("architectures are named in Debian's words", () => {
  expect(architecturesOf("x64")).toEqual(["amd64", "all"]);
  expect(architecturesOf("riscv64")).toEqual(["riscv64", "all"]);
});
