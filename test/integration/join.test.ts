import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { operatorIdSchema } from "@quorate/protocol/operator";
import type { SubmissionView } from "@quorate/protocol/submission";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { shareFacets } from "../../services/site/src/suite-facts.ts";
import { tableFormats, verdictFormats } from "../../services/site/src/suite-exports.ts";
import { createNetworkNamespace, type NetworkNamespace } from "../network-namespace.ts";
import { settled, startTestNetwork, type TestNetwork } from "../network.ts";
import { addedRoutes, describedRoutes, filledRoute, isOfRoute, linkedAnswers, type NamedObjects, readAnswer } from "../public-answers.ts";
import { quorate } from "../quorate.ts";
import { samples } from "../samples.ts";

const root = join(import.meta.dirname, "../..");
const idSchema = z.object({ id: z.int() });
const idsSchema = z.object({ records: z.array(idSchema) });
let wire: NetworkNamespace;
let net: TestNetwork;
/** Home directory of somebody who was never here. */
let home = "";
const resources = new AsyncDisposableStack();

beforeAll(async () => {
  wire = resources.use(await createNetworkNamespace());
  net = resources.use(await startTestNetwork(Object.values(samples), { listen: wire.hostAddress, policy: { committeeSize: 4 } }));
  home = await mkdtemp(join(tmpdir(), "quorate-stranger-"));
  resources.defer(() => rm(home, { recursive: true, force: true }));
});
afterAll(() => resources[Symbol.asyncDispose]());

/** The commands of the README's "Run a worker", for this network. */
async function readmeCommands(): Promise<string[]> {
  const section = (await readFile(join(root, "README.md"), "utf8")).split("## Run a worker\n")[1] ?? "";
  const block = /^```sh\n(.*?)^```$/ms.exec(section)?.[1] ?? "";
  const port = new URL(net.network.url).port;
  return block.split("\n").flatMap((line) => {
    const command = line.split(" #")[0]?.trim() ?? "";
    return command === "" ? [] : [command.replace("https://network.example", `http://${wire.hostAddress}:${port}`)];
  });
}

/** Runs a line of the README as the stranger would, in the namespace. */
function runInside(command: string): ChildProcess {
  const [file, ...words] = [...wire.enter, "sh", "-c", `exec ${command}`];
  const env = { PATH: process.env["PATH"], HOME: home };
  return spawn(file, words, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
}

async function finished(child: ChildProcess): Promise<string> {
  if (!child.stdout || !child.stderr) throw new Error("its output is piped");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (child.exitCode !== 0) throw new Error(`it ended with ${child.exitCode}: ${stderr}`);
  return stdout;
}

const verdictOf = (submission: SubmissionView) => submission.rounds[0]?.verdict;

test("a stranger behind a wire that only leads out joins with the README's three commands, and its results count", async () => {
  const [init = "", enrol = "", work = "", ...more] = await readmeCommands();
  expect(more).toEqual([]);
  const made = await finished(runInside(init));
  const operator = operatorIdSchema.parse(/^operator\s+([0-9a-f]{32})/m.exec(made)?.[1]);
  expect(await finished(runInside(enrol))).toMatch(/waiting to be admitted/);

  // This network's archive is not the one that the host's apt uses.
  const data = join(home, ".local/share/quorate-worker");
  await mkdir(data, { recursive: true });
  await copyFile(net.network.layout.archives, join(data, "archives.json"));
  const worker = runInside(work);
  const ended = once(worker, "exit");
  const said: string[] = [];
  if (!worker.stderr) throw new Error("its output is piped");
  createInterface({ input: worker.stderr }).on("line", (line) => said.push(line));
  await expect.poll(() => said.join("\n"), { timeout: 60_000 }).toMatch(/has not admitted this operator yet/);

  const status = (await quorate(["network", "operators", "list", "--data", net.network.layout.root, "--json"])).stdout;
  expect(JSON.parse(status)).toMatchObject({
    operators: expect.arrayContaining([expect.objectContaining({ operator, state: "pending" })]),
  });
  const approved = await quorate(["network", "operators", "approve", operator.slice(0, 8), "--data", net.network.layout.root]);
  expect(approved).toMatchObject({ code: 0, stdout: expect.stringMatching(/admitted\s+Ada's rebuilder/) });
  await expect.poll(() => said.join("\n"), { timeout: 60_000 }).toMatch(/worker is ready/);

  const verdict = verdictOf(await net.rebuild(samples.steady.source));
  expect(verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
  expect(verdict?.inputs.find((input) => input.operator === operator)).toMatchObject({ standing: "counted" });
  expect(await wire.listening()).toEqual([]);
  expect(await wire.connections()).toContainEqual(expect.stringContaining(wire.address));

  worker.kill("SIGTERM");
  await ended;
  expect(worker.exitCode, said.slice(-5).join("\n")).toBe(0);
  expect((await quorate(["replay", "--data", net.network.layout.root])).code).toBe(0);
}, 300_000);

test("nothing that the network shows says where an operator's machine is", async () => {
  const { network } = net;
  await expect.poll(async () => (await fetch(`${network.siteUrl}/package/sample-steady`)).status, { timeout: 60_000 }).toBe(200);
  const objects = await namedObjects();
  const ofCoordinator = await describedRoutes(network.url);
  const rebuilderds = await addedRoutes(join(root, "services/coordinator/src/routes"), "/api/v");
  await expectWithoutAddress(network.url, [...ofCoordinator.open, ...rebuilderds, ...everyService], objects);
  expect(ofCoordinator.withToken).not.toEqual([]);
  for (const route of ofCoordinator.withToken) {
    const paths = filledRoute(route, objects);
    expect(paths, `${route}: say below about what it is asked`).not.toEqual([]);
    for (const path of paths) expect((await readAnswer(network.url, path)).status, path).toBe(401);
  }

  const linked: string[] = [];
  for await (const { path, text } of linkedAnswers(network.siteUrl)) {
    expect(text, path).not.toContain(wire.address);
    linked.push(path);
  }
  const described = await describedRoutes(network.siteUrl);
  expect(described.withToken).toEqual([]);
  const ofSite = [...described.open, ...(await addedRoutes(join(root, "services/site/src"), "/"))];
  // One of several formats may be linked.
  const unlinked = ofSite.filter((route) => route.includes("{}") || !linked.some((path) => isOfRoute(path, route)));
  await expectWithoutAddress(network.siteUrl, [...unlinked, ...everyService], objects);

  const entries = await quorate(["log", "entries", "--json", "--data", network.layout.root]);
  expect(entries.code).toBe(0);
  expect(entries.stdout).not.toContain(wire.address);
  const logs = join(network.layout.root, "logs");
  const ownLogs = (await readdir(logs)).filter((file) => !file.startsWith("worker-"));
  expect(ownLogs).toEqual(expect.arrayContaining(["coordinator.log", "log.log", "nats.log", "site.log"]));
  for (const file of ownLogs) expect(await readFile(join(logs, file), "utf8"), file).not.toContain(wire.address);
});

const everyService = ["/metrics", "/health/live", "/health/ready"];

/** Asks every route about each of the objects that it may be asked about, and fails for one that is not asked. */
async function expectWithoutAddress(url: string, routes: readonly string[], objects: NamedObjects): Promise<void> {
  for (const route of routes) {
    const paths = filledRoute(route, objects);
    expect(paths, `${route}: say below about what it is asked`).not.toEqual([]);
    for (const path of paths) {
      const { status, text } = await readAnswer(url, path);
      // No operator makes a diffoscope report, and a search for nothing finds nothing.
      expect(status, path).toBe(/\/diffoscope$|^\/search$/.test(route) ? 404 : 200);
      expect(text, path).not.toContain(wire.address);
    }
  }
}

/** What the network knows of the stranger and of what it rebuilt. */
async function namedObjects(): Promise<NamedObjects> {
  const { api, network, suite } = net;
  const submission = await settled(api, await api.submit({ distribution: "debian", suite, source: samples.steady.source }));
  const [round] = submission.rounds;
  const { operators } = await api.network();
  const stranger = operators.find(({ name }) => name === "Ada's rebuilder")?.operator;
  const own = round?.verdict?.inputs.find(({ operator }) => operator === stranger)?.index;
  const another = round?.verdict?.inputs.find(({ operator }) => operator !== stranger)?.index;
  const file = round?.verdict?.artifacts[0]?.reference;
  const blobs = (await readdir(join(network.layout.directory("coordinator"), "blobs"), { recursive: true })).flatMap((path) => {
    const [, start = "", rest = ""] = /^(..)\/([0-9a-f]{62})\.zst$/.exec(path) ?? [];
    return start === "" ? [] : [`${start}${rest}`];
  });
  const ids = async (path: string) => idsSchema.parse(JSON.parse((await readAnswer(network.url, path)).text));
  const [build, binary, source] = await Promise.all(
    ["/api/v1/builds", "/api/v1/packages/binary", "/api/v1/packages/source"].map(async (path) => (await ids(path)).records[0]?.id),
  );
  const artifact = z.array(idSchema).parse(JSON.parse((await readAnswer(network.url, `/api/v1/builds/${build}/artifacts`)).text))[0]?.id;
  const releases = z
    .array(z.object({ build_id: z.int().nullable() }))
    .parse(JSON.parse((await readAnswer(network.url, "/api/v0/pkgs/list")).text));
  const v0Build = releases.find(({ build_id }) => build_id !== null)?.build_id;
  expect({ own, another, stranger, file, build, binary, source, artifact, v0Build, target: round?.target }).not.toContain(undefined);
  expect(blobs.length).toBeGreaterThan(10);
  return {
    "/submissions/{id}": [`/submissions/${submission.id}`],
    "/rounds/{id}": [`/rounds/${round?.round}`],
    "/live/{round}": [`/live/${round?.round}`],
    "/targets/{digest}": [`/targets/${round?.target}`],
    "/operators/{id}": [`/operators/${stranger}`],
    "/operators/{operator}": [`/operators/${stranger}`],
    "/operator/{id}": [`/operator/${stranger}`],
    "/artifacts/sha256/{digest}": [`/artifacts/sha256/${file}`],
    "/artifact/{sha256}": [`/artifact/${file}`],
    "/proof/{sha256}": [`/proof/${file}`],
    "/blobs/sha256/{digest}": blobs.map((blob) => `/blobs/sha256/${blob}`),
    // There is none, and whoever has no token is not told so.
    "/webhooks/{id}": [`/webhooks/${randomUUID()}`],
    "/results/{index}": [`/results/${own}`],
    "/compare/{one}/{other}": [`/compare/${own}/${another}`],
    "/package/{name}": ["/package/sample-steady"],
    "/sample-steady/{version}": [`/sample-steady/${samples.steady.version}`],
    "/suite/{distribution}/{suite}": [`/suite/debian/${suite}`],
    "/distributions/{distribution}": ["/distributions/debian"],
    "/releases/{release}": [`/releases/${suite}`],
    "/api/v0/builds/{id}": [`/api/v0/builds/${v0Build}`],
    "/api/v1/builds/{id}": [`/api/v1/builds/${build}`],
    "/artifacts/{artifact}": [`/artifacts/${artifact}`],
    "/binary/{id}": [`/binary/${binary}`],
    "/source/{id}": [`/source/${source}`],
    "/{format}": ["/atom", "/json"],
    "/verdicts.{}": verdictFormats.map((format) => `/verdicts.${format}`),
    "/history.{}": tableFormats.map((format) => `/history.${format}`),
    "/{}s.{}": shareFacets.flatMap((facet) => tableFormats.map((format) => `/${facet}s.${format}`)),
  };
}
