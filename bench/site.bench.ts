import { digestOf, sampleBuilt, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { policyDigestOf } from "@quorate/attestation/log-statement";
import { defaultPolicy } from "@quorate/protocol/policy";
import { roundIdOf } from "@quorate/protocol/round";
import { type Target, environmentPinDigestOf, targetDigestOf } from "@quorate/protocol/target";
import type { Verdict, VerdictOutcome } from "@quorate/protocol/verdict";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import { saveStatement } from "../services/site/src/save-statement.ts";
import type { ReadModel } from "../services/site/src/read-model.ts";
import { startTestSite, type TestSite } from "../services/site/src/site.fixture.ts";
import { inLanes } from "../test/integration/log-constellation.ts";
import { type Figure, percentile } from "./figure.ts";

const targets = 83_334;
const resultsEach = 3;
const names = ["ada", "bert", "cyd", "dora", "emil", "fred"];
const samples = 300;
const lineFeed = 10;

/**
 * Pages of a site that knows 250,000 results of 83,334 targets. Each page is asked for once, so that nothing is kept of it, by one client
 * over loopback; then one page again and again by eight. The facts are put into the read model; the log that the site follows is small.
 */
export async function measure(): Promise<Figure[]> {
  const network = new TestNetwork();
  network.appendPolicy();
  for (const name of names) network.enrol(name);
  await using site = await startTestSite(network, { seed });
  const trivial = await times(site, () => "/health/live");
  const floor = percentile(trivial, 0.95);
  const page = async (name: string, path: (at: number) => string): Promise<Figure> => {
    const value = percentile(await times(site, path), 0.95);
    return { name: `${name}, 95 %`, value, unit: "ms", ratio: floor / value, reference: "the server's most trivial route" };
  };
  return [
    await page("artifact by digest", (at) => `/artifact/${digestOf(`reference ${spread(at)}`)}`),
    await page("package", (at) => `/package/source-${spread(at)}`),
    await page("search that leads to a package", (at) => `/search?q=source-${spread(at)}`),
    await page("search that suggests names", (at) => `/search?q=sourc&asked=${at}`),
    await page("home", (at) => `/?${at}`),
    await page("suites", (at) => `/suites?${at}`),
    await page("operators", (at) => `/operators?${at}`),
    await page("one operator", (at) => `/operator/${operatorNamed(names[at % names.length] ?? "")}?${at}`),
    await page("log entry", (at) => `/log/entry/${at % 7}?${at}`),
    await rate(site),
    await verdictFeed(site),
  ];
}

/** Every verdict as lines, compressed, to one client in this process. */
async function verdictFeed({ url }: TestSite): Promise<Figure> {
  const startedAt = performance.now();
  const response = await fetch(`${url}/v1/verdicts`, { headers: { accept: "application/x-ndjson", "accept-encoding": "gzip" } });
  let lines = 0;
  for await (const chunk of response.body ?? []) {
    for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, at + 1)) lines += 1;
  }
  if (lines !== targets) throw new Error(`reading all verdicts: ${lines} lines of ${targets}`);
  return { name: `all verdicts, ${targets} lines`, value: (performance.now() - startedAt) / 1000, unit: "s" };
}

/** Pages a second of an artifact that was asked for before. */
async function rate(site: TestSite): Promise<Figure> {
  const path = `/artifact/${digestOf("reference 1")}`;
  const perSecond = async (asked: string) => {
    const startedAt = performance.now();
    await inLanes(4000, 8, async () => void (await ask(site, asked)));
    return 4_000_000 / (performance.now() - startedAt);
  };
  await perSecond(path);
  const value = await perSecond(path);
  return {
    name: "artifact page that is kept, 8 clients in this process",
    value,
    unit: "pages/s",
    ratio: value / (await perSecond("/health/live")),
    reference: "the server's most trivial route",
  };
}

async function times(site: TestSite, path: (at: number) => string): Promise<number[]> {
  const found: number[] = [];
  for (let at = 0; at < samples; at += 1) {
    const startedAt = performance.now();
    await ask(site, path(at));
    found.push(performance.now() - startedAt);
  }
  return found.slice(samples / 10);
}

async function ask({ url }: TestSite, path: string): Promise<void> {
  const response = await fetch(`${url}${path}`, { redirect: "manual", headers: { "accept-encoding": "gzip" } });
  await response.arrayBuffer();
  if (response.status >= 400) throw new Error(`asking for ${path}: ${response.status}`);
}

/** Targets all over the model, in no order. */
function spread(at: number): number {
  return (at * 7919) % targets;
}

function seed(model: ReadModel): void {
  let index = 1000;
  const save = (statement: Parameters<typeof saveStatement>[2]) => saveStatement(model, (index += 1), statement);
  save({ kind: "policy", policy: defaultPolicy });
  const environment = environmentPinDigestOf(sampleTarget.environment);
  for (let number = 0; number < targets; number += 1) {
    const target = targetNumbered(number);
    const digest = targetDigestOf(target);
    const drawn = Array.from({ length: resultsEach }, (_, at) => operatorNamed(names[(number + at) % names.length] ?? ""));
    const round = roundIdOf(digest, 1);
    save({ kind: "target", target });
    const seedHead = { size: index, rootSha256: digestOf("root") };
    save({
      kind: "round",
      round: {
        target: digest,
        attempt: 1,
        policy: policyDigestOf(defaultPolicy),
        seed: seedHead,
        committee: drawn,
        standIns: [],
        standInsCalled: 0,
      },
    });
    for (const operator of drawn) save({ kind: "commitment", commitment: { round, operator, fence: 1, envelope: digestOf("envelope") } });
    const artifacts = target.artifacts.map(({ file, sizeBytes, sha256 }) => ({ name: file, sizeBytes, sha256 }));
    for (const operator of drawn) {
      save({ kind: "result", result: { ...sampleBuilt, operator, round, target: digest, environment, source: target.source, artifacts } });
    }
    save({ kind: "verdict", verdict: verdictOf(target, { round, drawn, index, number }) });
  }
}

function targetNumbered(number: number): Target {
  const source = `source-${number}`;
  const artifacts = sampleTarget.artifacts.map((artifact) => ({
    ...artifact,
    file: `${source}_1_all.deb`,
    package: source,
    sha256: digestOf(`reference ${number}`),
  }));
  return { ...sampleTarget, source, artifacts };
}

type Ruled = { round: Verdict["round"]; drawn: Verdict["dissent"]; index: number; number: number };

/** One in twenty is a mismatch, one in ten unreproducible. */
function verdictOf(target: Target, { round, drawn, index, number }: Ruled): Verdict {
  const outcome: VerdictOutcome = number % 20 === 0 ? "mismatch" : number % 10 === 1 ? "unreproducible" : "reproduced";
  const sha256Of = (reference: Target["artifacts"][number]["sha256"]) =>
    outcome === "reproduced" ? reference : digestOf(`built ${number}`);
  return {
    target: targetDigestOf(target),
    round,
    policy: policyDigestOf(defaultPolicy),
    outcome,
    artifacts: target.artifacts.map(({ file, sha256 }) => ({
      file,
      reference: sha256,
      outcome,
      digests: [{ sha256: sha256Of(sha256), operators: drawn }],
    })),
    dissent: [],
    inputs: drawn.map((operator, at) => ({
      index: index - resultsEach + at + 1,
      envelope: digestOf("envelope"),
      operator,
      standing: "counted",
    })),
    decidedAt: "2026-11-23T09:00:00Z",
  };
}
