import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { serve } from "@quorate/client/local-server.fixture";
import { silentLogger } from "@quorate/service/logger";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { invitationToken, startTestNetwork, type TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import { temporaryDirectory } from "../../services/coordinator/src/servers.fixture.ts";
import { submitted } from "../../services/coordinator/src/submitted.fixture.ts";
import type { TestOperator } from "../../services/coordinator/src/test-operator.fixture.ts";
import type { Executor } from "../../services/worker/src/executor.ts";
import { startWorker } from "../../services/worker/src/start.ts";
import { takePublished } from "../keyless-operator.ts";
import { program, quorate } from "../quorate.ts";
import { CuttableLink } from "./cuttable-link.ts";

const workerSchema = z.object({ worker: z.string() });
const run = promisify(execFile);
const owned = new AsyncDisposableStack();
let directory = "";
let network: TestNetwork;
/** What leads from the volunteer's machine to the coordinator. */
let link: CuttableLink;
const pathOf = (name: string): string => join(directory, name);
const env = () => ({ QUORATE_OPERATOR: pathOf("operator"), QUORATE_WORKER: pathOf("worker") });
const volunteer = (...words: string[]) => quorate(words, { env: env() });

beforeAll(async () => {
  directory = await temporaryDirectory("volunteer");
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  const sources = ["alpha", "beta", "gamma"].map((source) => ({ source, version: "1.0", architecture: "all" as const }));
  network = owned.use(await startTestNetwork({ sources }));
  link = owned.use(await CuttableLink.open());
  link.lead(network.url);
  await mkdir(pathOf("worker"));
  await copyFile(network.config.ARCHIVES_FILE, join(pathOf("worker"), "archives.json"));
  await volunteer("operator", "init", "--name", "Ada", "--architecture", "all");
});
afterAll(() => owned.disposeAsync());

type WorkerCommand = AsyncDisposable & {
  readonly pid: number;
  /** What it has said, from now on. */
  until(wanted: RegExp): Promise<string>;
  signal(name: NodeJS.Signals): void;
  readonly exit: Promise<number | NodeJS.Signals>;
};

/** `quorate worker`, as it is started at a terminal. */
function startCommand(...words: string[]): WorkerCommand {
  const limits = ["--cores", "1", "--memory", "1024", "--disk", "4096"];
  const child = spawn(process.execPath, [program, "worker", ...limits, ...words], {
    env: { ...process.env, ...env() },
    stdio: ["ignore", "inherit", "pipe"],
  });
  let said = "";
  createInterface({ input: child.stderr }).on("line", (line) => (said += `${line}\n`));
  const exit = once(child, "exit").then(() => child.exitCode ?? child.signalCode ?? "SIGKILL");
  return {
    pid: child.pid ?? 0,
    async until(wanted) {
      await expect.poll(() => said, { timeout: 100_000, interval: 100 }).toMatch(wanted);
      const found = wanted.exec(said);
      said = said.slice((found?.index ?? 0) + (found?.[0].length ?? 0));
      return found?.[0] ?? "";
    },
    signal: (name) => void child.kill(name),
    exit,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exit;
    },
  };
}

describe("before a worker starts", () => {
  test("a wrong invitation code is told, and the right one then admits", async () => {
    const enrol = (code: string) => volunteer("operator", "enrol", link.url, "--invitation", code);
    const hint = /this invitation code is not valid; ask whoever runs this network for one, or enrol without and wait to be admitted/;
    expect(await enrol("no-such-code")).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(hint) });
    expect((await volunteer("operator", "status")).stdout).toMatch(/not enrolled; next: quorate operator enrol URL/);
    expect(await enrol(invitationToken)).toMatchObject({ code: 0, stdout: expect.stringMatching(/admitted to .*\nnext +quorate worker/) });
  });

  test("a clock that is an hour behind the network's is told", async () => {
    await using later = await serve((_request, response) => {
      response.setHeader("date", new Date(Date.now() + 3_600_000).toUTCString()).end("{}");
    });
    const elsewhere = pathOf("operator-elsewhere");
    await cp(pathOf("operator"), elsewhere, { recursive: true });
    const joined = join(elsewhere, "network.json");
    await writeFile(joined, (await readFile(joined, "utf8")).replace(link.url, later.url));
    const answer = await volunteer("worker", "--check", "--operator", elsewhere);
    expect(answer).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/cannot build: clock: it is 3\d{3} s behind .*timedatectl set-ntp true/),
    });
  });

  test("a disk that is too small is told", async () => {
    const small = pathOf("small-disk");
    await mkdir(small);
    await run("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", small]);
    const answer = await volunteer("worker", "--check", "--data", small).finally(() => run("umount", [small]));
    expect(answer).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot build: disk: .* MiB of 64 free; it needs 2048/) });
  });

  test("keys with a passphrase are opened with it alone", async () => {
    const [right, wrong] = [pathOf("passphrase"), pathOf("wrong-passphrase")];
    await writeFile(right, "correct horse battery\n");
    await writeFile(wrong, "incorrect horse battery\n");
    const where = ["--operator", pathOf("locked")];
    expect((await volunteer("operator", "init", "--name", "Bea", ...where, "--passphrase-file", right)).stdout).toMatch(
      /link\.pem, encrypted/,
    );
    const enrol = (...words: string[]) => volunteer("operator", "enrol", network.url, ...where, ...words);
    expect(await enrol()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/identity\.pem: it is encrypted.* with --passphrase-file/),
    });
    expect(await enrol("--passphrase-file", wrong)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the passphrase is another one/),
    });
    expect(await enrol("--passphrase-file", right)).toMatchObject({ code: 0, stdout: expect.stringMatching(/waiting to be admitted/) });
    const worker = await volunteer("worker", "--data", pathOf("locked-worker"), ...where);
    expect(worker).toMatchObject({ code: 1, stderr: expect.stringMatching(/identity\.pem: it is encrypted.*--passphrase-file/) });
  });
});

test("a worker waits for a coordinator and a NATS server that are away, says so, begins when they are there, and ends when it is told to", async () => {
  link.cut();
  await network.stopNats();
  await using worker = startCommand();
  await worker.until(/registering the worker failed; it is tried again .*no connection to 127\.0\.0\.1/);
  link.lead(network.url);
  await worker.until(/registering the worker failed; it is tried again .*NATS server, which hands out jobs, is away/);
  await network.startNats();
  await worker.until(/worker is ready/);
  worker.signal("SIGTERM");
  expect(await worker.exit).toBe(0);
});

describe("a worker with a job in hand", () => {
  let bert: TestOperator;
  beforeAll(async () => {
    bert = await network.enrol("Bert");
    bert.serve();
  });

  test("is paused when it has done it, and until then does not leave; what it takes when it goes on counts too", async () => {
    await using worker = await startHeld("worker");
    const first = await submitted(network, "alpha");
    await worker.building();
    expect(await volunteer("worker", "leave")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/leaving: this worker is working, and job [0-9a-f-]+ would be cut off .*quorate worker pause/),
    });
    expect(await volunteer("worker", "pause")).toMatchObject({ code: 0, stderr: expect.stringMatching(/the job in hand is finished/) });
    worker.finish();
    expect((await first.settled()).verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
    const second = await submitted(network, "beta");
    await second.once(({ jobs }) => jobs.some(({ phase }) => phase === "committed"));
    expect((await volunteer("worker", "status")).stdout).toMatch(/state +paused, .*\ndone +1 jobs .*; 0 results here/);
    await volunteer("worker", "resume");
    await worker.building();
    worker.finish();
    expect((await second.settled()).verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
  });

  test("ends when its operator changes the key; another machine with the new key gets the job, and the lost one is dismissed", async () => {
    await using lost = await startHeld("worker");
    const round = await submitted(network, "gamma");
    await lost.building();
    const { worker } = workerSchema.parse(JSON.parse((await volunteer("worker", "status", "--json")).stdout));
    const rotated = await volunteer("operator", "rotate");
    expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/workers +those that run end by themselves/) });
    expect(String(await lost.failed)).toMatch(/newest identity key; after a change of keys start the worker again/);
    await lost[Symbol.asyncDispose]();
    const left = await volunteer("worker", "leave", worker);
    expect(left).toMatchObject({ code: 0, stdout: expect.stringContaining("has left") });
    expect((await volunteer("operator", "status")).stdout).toMatch(new RegExp(`${worker} +worker, dismissed`));

    await using next = await startHeld("other-machine");
    await next.building();
    next.finish();
    expect((await round.settled()).verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
  });
});

/** A worker in this process, whose data `quorate worker` looks for, and whose builds are over when a test says so. */
async function startHeld(machine: string) {
  let begun = Promise.withResolvers<void>();
  let held = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<unknown>();
  const executor: Executor = {
    async build(request, _report, signal) {
      begun.resolve();
      await Promise.race([held.promise, once(signal, "abort")]);
      signal.throwIfAborted();
      held = Promise.withResolvers();
      return takePublished(network.archive.root, request);
    },
  };
  const limits = { timeoutSeconds: 60, memoryMib: 100, diskMib: 100, processes: 100 };
  const where = { operatorDirectory: pathOf("operator"), dataDirectory: join(pathOf(machine), "state"), passphraseFile: undefined };
  const worker = await startWorker({
    config: { ...where, workerName: machine, tags: [], once: false, parallel: 1, limits },
    openExecutor: () => executor,
    logger: silentLogger,
    fail: failed.resolve,
  });
  return {
    failed: failed.promise,
    /** Resolves when it has begun with a build, once for each. */
    async building() {
      await begun.promise;
      begun = Promise.withResolvers();
    },
    finish: () => held.resolve(),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}
