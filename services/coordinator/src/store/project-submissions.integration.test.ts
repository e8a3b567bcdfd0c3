import { sampleTarget } from "@quorate/attestation/nouns.fixture";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { jobIdOf } from "@quorate/protocol/job";
import { operatorIdSchema } from "@quorate/protocol/operator";
import { roundIdOf } from "@quorate/protocol/round";
import { targetDigestOf } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import type { VerdictOutcome } from "@quorate/protocol/verdict";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenDatabase, openDatabase } from "../database.ts";
import { jobs, operators, rounds, verdicts } from "../schema.ts";
import { type Server, startPostgres } from "../servers.fixture.ts";
import { saveApiToken } from "./api-tokens.ts";
import { countProjectTargets, loadBuilderSeconds, loadProjectSubmissions } from "./project-submissions.ts";
import { saveSubmission } from "./submissions.ts";
import { saveTarget } from "./targets.ts";

const at = new Date("2026-11-23T12:00:00Z");
const operator = operatorIdSchema.parse("a".repeat(32));
const token = { id: "00000000-0000-4000-8000-000000000000", project: "qa", scopes: ["read" as const], createdAt: at };

let postgres: Server<{ url: string }>;
let database: OpenDatabase;
beforeAll(async () => {
  postgres = await startPostgres();
  database = await openDatabase({ url: postgres.url, onError: () => undefined });
  const { db } = database;
  await saveApiToken(db, token, "secret");
  await db.insert(operators).values({ operator, enrolment: "{}", name: "Ada", enrolledIndex: 0, enrolledAt: at });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

let entries = 0;

/** A target whose rounds came to these outcomes, each after builds of 10 s; the last is still under way when it is undefined. */
async function saveHistory(version: string, outcomes: readonly (VerdictOutcome | undefined)[]): Promise<Sha256> {
  const { db } = database;
  const sample = { ...sampleTarget, version };
  const target = targetDigestOf(sample);
  await saveTarget(db, sample);
  for (const [index, outcome] of outcomes.entries()) {
    const round = roundIdOf(target, index + 1);
    const state = outcome === undefined ? "building" : "settled";
    const job = { job: jobIdOf(round, operator), round, operator, rank: 0, createdAt: at, buildSeconds: 10 };
    await db.insert(rounds).values({ round, target, attempt: index + 1, policy: "policy", state, submittedAt: at });
    await db.insert(jobs).values(job);
    if (outcome !== undefined) await db.insert(verdicts).values({ round, target, outcome, verdict: "{}", logIndex: entries++ });
  }
  return target;
}

async function submit(project: string, targets: Sha256[]): Promise<Sha256> {
  const id = sha256Of(utf8(`${project} ${targets.join(" ")}`));
  const request = { distribution: "debian", suite: "bookworm", source: "mailgraph" };
  await saveSubmission(database.db, { id, request, targets }, { project, token: token.id, now: at });
  return id;
}

test("a target is what its newest round came to; those with another verdict than reproduced are found, and each build is counted once", async () => {
  const { db } = database;
  const [recovered, mismatch, retried, waiting] = [
    await saveHistory("1", ["inconclusive", "reproduced"]),
    await saveHistory("2", ["mismatch"]),
    await saveHistory("3", ["failed", undefined]),
    await saveHistory("4", []),
  ];
  const fine = await submit("qa", [recovered, retried]);
  const failing = await submit("qa", [recovered, mismatch]);
  await submit("others", [await saveHistory("5", ["unreproducible"])]);
  await submit("qa", [waiting]);

  expect(await countProjectTargets(db, "qa")).toEqual({ reproduced: 1, mismatch: 1, pending: 1 });
  expect(await loadBuilderSeconds(db, "qa")).toBe(50);
  const found = await loadProjectSubmissions(db, "qa", { limit: 10, isFailing: true });
  expect(found.submissions).toMatchObject([
    { id: failing, targets: [{ outcome: "reproduced" }, { outcome: "mismatch", verdictIndex: 2 }] },
  ]);
  const all = await loadProjectSubmissions(db, "qa", { limit: 10, isFailing: false });
  expect(all.submissions.find(({ id }) => id === fine)?.targets).toMatchObject([
    { target: recovered, round: roundIdOf(recovered, 2), state: "settled" },
    { target: retried, round: roundIdOf(retried, 2), state: "building" },
  ]);
});

test("pages of submissions of the same moment are together all of them, each once", async () => {
  const target = await saveHistory("6", []);
  const ids = new Set<Sha256>();
  for (const name of ["a", "b", "c", "d", "e"]) ids.add(await submit("paged", [target, await saveHistory(`6.${name}`, [])]));
  const seen: Sha256[] = [];
  for (let after: Sha256 | undefined, more = true; more;) {
    const page = await loadProjectSubmissions(database.db, "paged", { limit: 2, after, isFailing: false });
    seen.push(...page.submissions.map(({ id }) => id));
    after = page.next;
    more = after !== undefined;
  }
  expect(seen).toHaveLength(ids.size);
  expect(new Set(seen)).toEqual(ids);
});
