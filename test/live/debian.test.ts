import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApi } from "@quorate/client/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Network, startNetwork } from "../../services/cli/src/up/network.ts";
import { choosePort } from "../../services/cli/src/up/ports.ts";
import { settled } from "../network.ts";

// Real packages from the archive of this host's apt, each rebuilt by three operators. What reproduces depends on the state of the suite:
// these were tried in November 2026 (bookworm 12.15, trixie's point releases).
const expected = {
  bookworm: {
    reproduced: ["mailgraph", "debvm", "libpam-mklocaluser", "mobian-keyring", "what-is-python", "base-files", "gettext.js"],
    not: { hello: "mismatch" },
  },
  trixie: {
    reproduced: ["netbase", "mailman-suite", "python-ecdsa"],
    // Differs at every build, in so few ways that two of three operators may agree by chance.
    not: { xxhash: "mismatch", "r-cran-gh": "mismatch or unreproducible" },
  },
} as const;

const cases = Object.entries(expected).flatMap(([suite, { reproduced, not }]) => [
  ...reproduced.map((source) => ({ suite, source, outcome: "reproduced" })),
  ...Object.entries(not).map(([source, outcome]) => ({ suite, source, outcome })),
]);

let network: Network;
let directory: string;

beforeAll(async () => {
  // Kept between runs when a place is given: bases and downloads are then made once.
  directory = process.env.QUORATE_LIVE_DATA ?? (await mkdtemp(join(tmpdir(), "quorate-live-")));
  network = await startNetwork({
    dataDirectory: directory,
    port: await choosePort(new Set()),
    env: process.env,
    report: () => {},
    signal: AbortSignal.timeout(120_000),
  });
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  if (process.env.QUORATE_LIVE_DATA === undefined) await rm(directory, { recursive: true, force: true });
});

test.each(cases)("$suite $source is $outcome", async ({ suite, source, outcome }) => {
  const api = createApi({ url: network.url, token: network.token });
  const submission = await settled(api, await api.submit({ distribution: "debian", suite, source }), 1_200_000);
  for (const { verdict } of submission.rounds) {
    expect(outcome.split(" or "), verdict?.reason).toContain(verdict?.outcome);
    expect(new Set(verdict?.inputs.map(({ operator }) => operator)).size).toBe(3);
    const otherwise = verdict?.artifacts.flatMap(({ reference, digests }) => digests.filter(({ sha256 }) => sha256 !== reference)) ?? [];
    expect(verdict?.outcome === "mismatch").toBe(otherwise.some(({ operators }) => operators.length >= 2));
  }
});
