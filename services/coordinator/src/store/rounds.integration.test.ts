import { sampleTarget } from "@quorate/attestation/nouns.fixture";
import { sha256Of } from "@quorate/protocol/digest";
import { jobIdOf } from "@quorate/protocol/job";
import { type OperatorId, operatorIdSchema } from "@quorate/protocol/operator";
import { roundIdOf } from "@quorate/protocol/round";
import { targetDigestOf } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenDatabase, openDatabase } from "../database.ts";
import { planStep } from "../plan.ts";
import { jobs, operators, rounds } from "../schema.ts";
import { type Server, startPostgres } from "../servers.fixture.ts";
import { reserveUpload } from "./jobs.ts";
import { loadDueRounds } from "./rounds.ts";
import { saveTarget } from "./targets.ts";

const now = new Date("2026-11-23T12:00:00Z");
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const silenceSeconds = 120;
const members: OperatorId[] = ["a", "b"].map((letter) => operatorIdSchema.parse(letter.repeat(32)));

type JobState = Partial<Pick<typeof jobs.$inferInsert, "publishedAt" | "committedAt" | "outcome">>;
const states: JobState[] = [
  {},
  { publishedAt: ago(10) },
  { publishedAt: ago(600) },
  { publishedAt: ago(10), committedAt: ago(5) },
  { publishedAt: ago(10), outcome: "declined" },
];

let postgres: Server<{ url: string }>;
let database: OpenDatabase;
beforeAll(async () => {
  postgres = await startPostgres();
  database = await openDatabase({ url: postgres.url, onError: () => undefined });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

test("a sweep finds every building round that has a step to take, and none whose jobs are all with workers in time", async () => {
  const { db } = database;
  const target = await saveTarget(db, sampleTarget);
  for (const [index, operator] of members.entries()) {
    await db.insert(operators).values({ operator, enrolment: "{}", name: operator, enrolledIndex: index, enrolledAt: now });
  }
  const cases = states.flatMap((first) =>
    states.flatMap((second) => [-60, 60].map((left) => ({ pair: [first, second], commitBy: ago(-left) }))),
  );
  const kinds = new Map<string, string>();
  for (const [attempt, { pair, commitBy }] of cases.entries()) {
    const round = roundIdOf(targetDigestOf(sampleTarget), attempt);
    const policy = sha256Of(utf8("policy"));
    await db.insert(rounds).values({ round, target, attempt, policy, state: "building", submittedAt: now, commitBy });
    const ofRound = pair.map((state, rank) => ({
      job: jobIdOf(round, members[rank] ?? ""),
      round,
      operator: members[rank] ?? "",
      rank,
      ...state,
    }));
    await db.insert(jobs).values(ofRound.map((job) => ({ ...job, createdAt: now })));
    const facts = ofRound.map(({ operator, publishedAt, committedAt, outcome, ...job }) => ({
      ...job,
      operator: operatorIdSchema.parse(operator),
      publishedAt: publishedAt ?? undefined,
      committedAt: committedAt ?? undefined,
      outcome: outcome ?? undefined,
    }));
    kinds.set(round, planStep({ state: "building", commitBy, jobs: facts, threshold: 2 }, now, silenceSeconds).kind);
  }
  const due = new Set<string>(await loadDueRounds(db, { now, silenceSeconds }, undefined));
  const withSteps = [...kinds].filter(([, kind]) => kind !== "wait").map(([round]) => round);
  expect(withSteps.length).toBeGreaterThan(20);
  expect(withSteps.filter((round) => !due.has(round))).toEqual([]);
  expect(new Set(kinds.values())).toEqual(new Set(["publish", "wait", "start-reveal", "close"]));

  const waiting = cases.flatMap(({ pair, commitBy }, attempt) => {
    const isFresh = pair.every((state) => state.publishedAt?.getTime() === ago(10).getTime() && !state.outcome);
    const isPending = pair.some((state) => !state.committedAt);
    return isFresh && isPending && commitBy > now ? roundIdOf(target, attempt) : [];
  });
  expect(waiting).toHaveLength(3);
  expect(waiting.filter((round) => due.has(round))).toEqual([]);
});

test("uploads at once of several jobs of one operator are together within what it may upload a day", async () => {
  const { db } = database;
  const target = await saveTarget(db, { ...sampleTarget, source: "uploads" });
  const operator = operatorIdSchema.parse("c".repeat(32));
  await db.insert(operators).values({ operator, enrolment: "{}", name: operator, enrolledIndex: 9, enrolledAt: now });
  const policy = sha256Of(utf8("policy"));
  const given = Array.from({ length: 20 }, (_, attempt) => {
    const round = roundIdOf(target, attempt);
    return { round, job: jobIdOf(round, operator), operator, attempt };
  });
  await db.insert(rounds).values(given.map((of) => ({ ...of, target, policy, state: "building" as const, submittedAt: now })));
  await db.insert(jobs).values(given.map((job) => ({ ...job, rank: 0, createdAt: now })));
  const upload = { bytes: 10, limits: { job: 15, operator: 95, since: ago(86_400) } };
  const taken = await Promise.all(given.map((job) => reserveUpload(db, job, upload)));
  expect(taken.filter(Boolean)).toHaveLength(9);
  const [first] = given.filter((_, index) => taken[index]);
  if (first) expect(await reserveUpload(db, first, { ...upload, limits: { ...upload.limits, operator: 1000 } })).toBe(false);
});
