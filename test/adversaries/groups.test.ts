import { rm } from "node:fs/promises";
import type { Groups } from "@quorate/protocol/operator";
import { defaultPolicy } from "@quorate/protocol/policy";
import type { RoundView } from "@quorate/protocol/submission";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import { temporaryDirectory } from "../../services/coordinator/src/servers.fixture.ts";
import { submitted } from "../../services/coordinator/src/submitted.fixture.ts";
import type { TestOperator } from "../../services/coordinator/src/test-operator.fixture.ts";
import { play, readerOf, rebuiltDigest, type Reader } from "./play.ts";

const operators = {
  ada: { organisation: "Uni", country: "DE", hosting: "Rack One" },
  adaAgain: { organisation: "Uni", country: "SE", hosting: "Rack Two" },
  bert: { organisation: "Bert", country: "DE", hosting: "Rack Three" },
  cyd: { organisation: "Cyd", country: "DE", hosting: "Rack Four" },
  dora: { organisation: "Dora", country: "FR", hosting: "Rack Four" },
} satisfies Record<string, Groups>;
type Name = keyof typeof operators;
const names = Object.keys(operators) as Name[];

const policy = {
  ...defaultPolicy,
  threshold: 3,
  committeeSize: 5,
  countOnceBy: ["organisation" as const, "hosting" as const],
  diversity: [{ group: "country" as const, distinct: 2 }],
};
const owned = new AsyncDisposableStack();
let network: TestNetwork;
let enrolled: Map<Name, TestOperator>;
let reader: Reader;

beforeAll(async () => {
  const directory = await temporaryDirectory("adversaries");
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  const sources = ["outvoted", "keys", "group", "country"].map((source) => ({ source, version: "1.0", architecture: "all" as const }));
  network = owned.use(await startTestNetwork({ sources, policy }));
  enrolled = new Map();
  for (const name of names) enrolled.set(name, await network.enrol(name, { groups: operators[name] ?? {} }));
  reader = await readerOf(network, [...enrolled.values()], directory);
});
afterAll(() => owned.disposeAsync());

/** A round in which these claim the published package, and all others what the source builds to. */
async function claimedBy(source: string, claiming: readonly Name[]): Promise<RoundView> {
  const round = await submitted(network, source);
  await Promise.all(
    [...enrolled].map(([name, operator]) => play(network, operator, claiming.includes(name) ? {} : { digestOf: rebuiltDigest })),
  );
  expect(await reader.replay()).toMatchObject({ code: 0, report: { consistent: true } });
  return round.settled();
}

/** The verdict that `quorate status` names, and whom beside the published digest. */
async function shownOf(round: RoundView) {
  const status = await reader.status(round);
  const [, outcome] = /^.*? \S+ \S+: (.*) \(log entry \d+\)$/m.exec(status) ?? [];
  const [, published] = /^ {4}rebuilt {4}= [0-9a-f]{64} {2}(.*)$/m.exec(status) ?? [];
  return { outcome, published: published?.split(", ").sort() };
}

const idsOf = (...of: Name[]) => of.map((name) => enrolled.get(name)?.id).sort();

test("liar-minority", async () => {
  const settled = await claimedBy("outvoted", ["ada", "adaAgain", "bert", "dora"]);
  expect(settled.verdict).toMatchObject({ outcome: "reproduced", dissent: idsOf("cyd") });
  expect(await reader.status(settled)).toContain("dissenting: cyd");
});

test("two-keys", async () => {
  const settled = await claimedBy("keys", ["ada", "adaAgain", "bert"]);
  expect(settled.verdict?.outcome).toBe("unreproducible");
  expect(await shownOf(settled)).toEqual({ outcome: "unreproducible", published: ["ada", "adaAgain", "bert"] });
});

test("two-of-a-group", async () => {
  const settled = await claimedBy("group", ["cyd", "dora", "bert"]);
  expect(settled.verdict?.outcome).toBe("unreproducible");
  expect(await shownOf(settled)).toEqual({ outcome: "unreproducible", published: ["bert", "cyd", "dora"] });
});

test("one-country", async () => {
  const settled = await claimedBy("country", ["ada", "bert", "cyd"]);
  expect(settled.verdict?.outcome).toBe("inconclusive");
  const reason = "3 of the 3 operators needed agree on country_1.0_all.deb, but they show 1 of 2 needed values of country";
  expect(await shownOf(settled)).toEqual({ outcome: `inconclusive: ${reason}`, published: ["ada", "bert", "cyd"] });
});
