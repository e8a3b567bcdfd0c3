import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { operatorIdSchema } from "@quorate/protocol/operator";
import type { SubmissionView } from "@quorate/protocol/submission";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createNetworkNamespace, type NetworkNamespace } from "../network-namespace.ts";
import { settled, startTestNetwork, type TestNetwork } from "../network.ts";
import { quorate } from "../quorate.ts";
import { samples } from "../samples.ts";

const root = join(import.meta.dirname, "../..");
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

  worker.kill("SIGTERM");
  await ended;
  expect(worker.exitCode, said.slice(-5).join("\n")).toBe(0);
  expect((await quorate(["replay", "--data", net.network.layout.root])).code).toBe(0);
}, 300_000);

test("nothing that the network shows says where an operator's machine is", async () => {
  const { api, network } = net;
  const submission = await settled(api, await api.submit({ distribution: "debian", suite: net.suite, source: samples.steady.source }));
  const round = submission.rounds[0]?.round ?? "";
  const paths = [
    "network",
    "stats",
    "operators",
    "workers",
    "rounds",
    `rounds/${round}`,
    `submissions/${submission.id}`,
    "artifacts?name=sample-steady",
  ];
  for (const path of paths) {
    const answer = await fetch(`${network.url}/v1/${path}`);
    expect(answer.ok, path).toBe(true);
    expect(await answer.text(), path).not.toContain(wire.address);
  }
  const entries = await quorate(["log", "entries", "--json", "--data", network.layout.root]);
  expect(entries.code).toBe(0);
  expect(entries.stdout).not.toContain(wire.address);
  const read = new Map<string, string>();
  await expect.poll(async () => (await fetch(`${network.siteUrl}/package/sample-steady`)).status, { timeout: 60_000 }).toBe(200);
  for await (const [path, text] of pagesFrom(network.siteUrl)) read.set(path, text);
  for (const kind of ["/operators", "/operator/", "/package/sample-steady", "/artifact/", "/entry/"])
    expect([...read.keys()]).toContainEqual(expect.stringContaining(kind));
  for (const [path, text] of read) expect(text, path).not.toContain(wire.address);
  for (const child of ["coordinator", "log", "site"])
    expect(await readFile(network.layout.log(child), "utf8"), child).not.toContain(wire.address);
});

/** The first page of the site, and every one that links of these lead to. */
async function* pagesFrom(siteUrl: string): AsyncGenerator<[path: string, text: string]> {
  const found = new Set(["/"]);
  for (const path of found) {
    const answer = await fetch(new URL(path, siteUrl));
    if (!answer.headers.get("content-type")?.startsWith("text/")) continue;
    const text = await answer.text();
    for (const [, link = ""] of text.matchAll(/href="(\/[^"#]*)/g)) if (found.size < 300) found.add(link.replaceAll("&amp;", "&"));
    yield [path, text];
  }
}
