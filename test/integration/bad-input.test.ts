import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApi } from "@quorate/client/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Network, startNetwork } from "../../services/cli/src/up/network.ts";
import { choosePort } from "../../services/cli/src/up/ports.ts";
import { basePackages } from "../base-packages.ts";
import { createSmallArchive } from "../small-archive.ts";
import { type Answer, quorate, quorateUnder } from "../quorate.ts";
import { samples } from "../samples.ts";

const { source } = samples.steady;
const { directory: packages, suite } = await basePackages();
const resources = new AsyncDisposableStack();
let directory = "";
let network: Network;

/** Copies of a good archive, each with one thing wrong; each is the archive of a distribution of that name. */
const wrong: Record<string, (root: string) => Promise<void>> = {
  unsigned: async (root) => await cp(join(root, "dists", suite, "Release"), join(root, "dists", suite, "InRelease")),
  altered: async (root) => await change(join(root, "dists", suite, "InRelease"), (text) => text.replace("Origin: Small", "Origin: Smell")),
  misindexed: async (root) => {
    for (const file of await filesBelow(join(root, "dists", suite, "main"))) await change(file, (text) => text.slice(0, -1));
  },
  swapped: async (root) => {
    const pool = await filesBelow(join(root, "pool"));
    for (const file of pool.filter((name) => /\.tar\./.test(name))) await change(file, (text) => text.slice(0, -1));
  },
};

async function change(path: string, edit: (text: string) => string): Promise<void> {
  await writeFile(path, edit(await readFile(path, "latin1")), "latin1");
}

async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-bad-"));
  resources.defer(async () => await rm(directory, { recursive: true, force: true }));
  const archive = resources.use(await createSmallArchive({ directory, suite, packages, sources: [samples.steady] }));
  const common = { keyrings: [archive.keyring], environments: { [suite]: [suite] } };
  const archives = [{ distribution: "debian", url: archive.url, ...common }];
  for (const [distribution, spoil] of Object.entries(wrong)) {
    const root = join(directory, distribution);
    const basePool = "pool/main/packages";
    await cp(archive.root, root, { recursive: true, filter: (path) => path !== join(archive.root, basePool) });
    await symlink(join(archive.root, basePool), join(root, basePool));
    await spoil(root);
    archives.push({ distribution, url: `file://${root}`, ...common });
  }
  network = resources.use(
    await startNetwork({
      dataDirectory: join(directory, "data"),
      archives: JSON.stringify(archives),
      operators: 1,
      port: await choosePort(new Set()),
      env: process.env,
      report: () => {},
      signal: AbortSignal.timeout(120_000),
    }),
  );
});
afterAll(async () => await resources.disposeAsync());

const api = () => createApi({ url: network.url, token: network.token });
const logSize = async (): Promise<number> => (await api().stats()).logSize;
const submit = async (...words: string[]): Promise<Answer> => await quorate(["submit", "--data", network.layout.root, ...words]);

describe("a submission that cannot be taken is refused in one line, and nothing is logged", () => {
  test.each([
    // First: an index is known by its digest, and one that another archive has given would be taken.
    ["an index that is not the signed one", [`misindexed/${suite}`, source], /main\/(?:source|binary-[a-z0-9]+)\/.*digest/],
    ["an unknown distribution", [`nosuch/${suite}`, source], /distribution nosuch is configured/],
    ["an unknown suite", ["debian/nosuch", source], /suite nosuch; known suites are [a-z]+/],
    ["an unknown package", [`debian/${suite}`, "nosuch"], /nosuch/],
    ["an unknown version", [`debian/${suite}`, source, "--version", "99"], /99.*1\.2/],
    ["an unknown architecture", [`debian/${suite}`, source, "--arch", "s390x"], /architecture s390x; there is .*all/],
    ["an InRelease without a signature", [`unsigned/${suite}`, source], /InRelease: it is not exactly one cleartext-signed message/],
    ["an InRelease that was altered", [`altered/${suite}`, source], /verifying an InRelease .*no good signature by a known key/],
  ])("%s", async (_what, words, reason) => {
    const before = await logSize();
    const answer = await submit(...words);
    expect(answer).toMatchObject({ code: 1, stdout: "" });
    expect(answer.stderr).toMatch(reason);
    expect(await logSize()).toBe(before);
  });
});

test("a source file with a wrong digest is nobody's verdict on the package: the operators say that the source cannot be had", async () => {
  const answer = await submit(`swapped/${suite}`, source, "--wait", "--json");
  expect(answer.code).toBe(3);
  const [round] = JSON.parse(answer.stdout).rounds;
  expect(round.verdict).toMatchObject({ reason: expect.stringContaining("source-unavailable") as unknown });
  expect(["failed", "inconclusive"]).toContain(round.verdict.outcome);
});

describe("a body that the API cannot read is refused with a problem that says what to send, and nothing is logged", () => {
  test.each([
    ["text that is no JSON", "{", 400],
    ["another type", "[]", 400],
    ["a field of another type", JSON.stringify({ distribution: "debian", suite: 1, source }), 400],
    ["a field that is not known", JSON.stringify({ distribution: "debian", suite, source, surplus: true }), 400],
    ["a path for a name", JSON.stringify({ distribution: "debian", suite: "../small", source }), 400],
    ["more than is read", JSON.stringify({ distribution: "debian", suite, source: "x".repeat(2_000_000) }), 413],
  ])("%s", async (_what, body, status) => {
    const before = await logSize();
    const headers = { authorization: `Bearer ${network.token}`, "content-type": "application/json" };
    const answer = await fetch(`${network.url}/v1/submissions`, { method: "POST", headers, body });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(await answer.json()).toMatchObject({ type: expect.any(String) as unknown, detail: expect.any(String) as unknown });
    expect(await logSize()).toBe(before);
  });
});

describe("a network that cannot be brought up says why in one line, and leaves nothing", () => {
  /** What it said, after it ended with exit code 1 and no result. */
  const refusalOf = async (answer: Promise<Answer>): Promise<string> => {
    const { code, stdout, stderr } = await answer;
    return code === 1 && stdout === "" ? stderr : `exit code ${code}: ${stdout}`;
  };

  test("a data directory in use, with the process that uses it", async () => {
    const words = ["up", "--data", network.layout.root];
    expect(await refusalOf(quorate(words))).toMatch(
      new RegExp(`^quorate: opening ${network.layout.root}: it is in use by process ${process.pid} `, "m"),
    );
  });

  test("a data directory of a newer version, with the versions that are known", async () => {
    const newer = join(directory, "newer");
    await mkdir(newer);
    await writeFile(join(newer, "format"), '{"service":"network","format":99}');
    expect(await refusalOf(quorate(["up", "--data", newer]))).toMatch(/format 99 is newer than 1, .*run a newer version/);
    expect(await readdir(newer)).toEqual(["format"]);
  });

  test("a port in use, and how to choose another", async () => {
    const port = await choosePort(new Set());
    await using server = createServer();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const words = ["up", "--data", join(directory, "port"), "--port", String(port)];
    expect(await refusalOf(quorate(words))).toMatch(new RegExp(`listening on port ${port}: another process uses it; .*--port`));
  });

  test("a user who is not root, and a root who may not make namespaces", async () => {
    const home = join(directory, "never");
    // As a user who may read any file, wherever this checkout is.
    const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
    expect(await refusalOf(quorateUnder(["setpriv", ...nobody, "--"], ["up", "--data", home]))).toMatch(
      /^quorate: starting a network: .*root is needed/,
    );
    const weak = ["--inh-caps=-sys_admin", "--bounding-set=-sys_admin"];
    expect(await refusalOf(quorateUnder(["setpriv", ...weak, "--"], ["up", "--data", home]))).toMatch(
      /root may not make namespaces.*CAP_SYS_ADMIN/,
    );
    expect(existsSync(home)).toBe(false);
  });

  test("a mirror that is none", async () => {
    const home = join(directory, "never");
    expect(await refusalOf(quorate(["up", "--data", home, "--mirror", "debian.example"]))).toMatch(/must be an http, https or file URL/);
    expect(existsSync(home)).toBe(false);
  });

  test("a file system without space", async () => {
    const full = join(directory, "full");
    await mkdir(full);
    const mounted = ["unshare", "--mount", "sh", "-c", `mount -t tmpfs -o size=2m tmpfs ${full} && exec "$@"`, "sh"];
    expect(await refusalOf(quorateUnder(mounted, ["up", "--data", join(full, "data")]))).toMatch(/no space is left|disk is full/i);
  });
});

test("of a list each is taken or refused by itself, and what is wrong with a line is said before anything is sent", async () => {
  const list = join(directory, "list");
  const before = await api().rounds();
  await writeFile(list, `# all\ndebian/${suite} ${source}\ndebian/${suite} nosuch\n`);
  const sent = ["submit-list", "--data", network.layout.root, list];
  const dry = await quorate([...sent, "--dry-run"]);
  expect(dry).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^refused  debian\/\w+ nosuch: .*\nwould be: [01] new, [01] known already, 1 refused\n$/),
  });
  const piped = ["sh", "-c", `exec "$@" < ${list}`, "sh"];
  const read = await quorateUnder(piped, [...sent.slice(0, -1), "-", "--dry-run", "--json"]);
  expect(JSON.parse(read.stdout)).toMatchObject({
    isDryRun: true,
    notSent: 0,
    submissions: [{ targets: [{}] }, { problem: { status: 422 } }],
  });
  expect(await api().rounds()).toEqual(before);
  await writeFile(list, `debian/${suite} ${source}\n${source}\n`);
  expect(await quorate(sent)).toMatchObject({ code: 1, stderr: expect.stringMatching(/line 2 of .*list: it is not DISTRIBUTION/) });
  expect(await api().rounds()).toEqual(before);
});

test("of a list that broke off, what came of the lines before is said", async () => {
  const list = join(directory, "long-list");
  await writeFile(list, Array.from({ length: 60 }, (_, number) => `debian/${suite} nosuch${number}\n`).join(""));
  const { port } = new URL(network.url);
  let passed = 0;
  const relay = createHttpServer((asked, answer) => {
    if (passed++ > 0) return void answer.destroy();
    asked.pipe(request({ port, path: asked.url, method: asked.method, headers: asked.headers }, (far) => far.pipe(answer)));
  });
  await once(relay.listen(0, "127.0.0.1"), "listening");
  using _ = { [Symbol.dispose]: () => void relay.close() };
  const url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const sent = await quorate(["submit-list", "--url", url, list, "--dry-run"], { env: { QUORATE_TOKEN: network.token } });
  expect(sent).toMatchObject({ code: 1, stderr: expect.stringContaining("(50 of 60 were sent; the same list may be sent again)") });
  expect(sent.stdout.match(/^refused /gm)).toHaveLength(50);
  expect(sent.stdout).toMatch(/^would be: 0 new, 0 known already, 50 refused, 10 not sent$/m);
});

describe("whoever runs the network gives projects tokens, each for what it may do", () => {
  const admin = async (...words: string[]): Promise<Answer> =>
    await quorate(["network", "tokens", ...words, "--data", network.layout.root]);
  const as = async (token: string, ...words: string[]): Promise<Answer> =>
    await quorate([...words, "--data", network.layout.root], { env: { QUORATE_TOKEN: token } });

  test("one that reads shows the project and submits nothing, and when it is revoked it opens nothing", async () => {
    const created = await admin("create", "qa", "--scope", "read", "--days", "30");
    expect(created).toMatchObject({ code: 0, stdout: expect.stringMatching(/^quorate-project-[\w-]{43}\n$/) });
    const token = created.stdout.trim();
    const [, id = ""] = /^([0-9a-f-]{36}) {2}qa {2}read {2}made \S+ {2}ends \S+$/m.exec(created.stderr) ?? [];
    expect(await as(token, "submit", `debian/${suite}`, source)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/this needs a token with the scope submit, and this one of project qa has read; ask whoever runs/),
    });
    const shown = await as(token, "project");
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(
      new RegExp(
        `^project {6}qa, by token ${id} \\(read\\) .*\nquota {8}0 of 20000 .*\nsubmissions {2}0\ntargets {6}none yet; 0 failing\n`,
      ),
    );
    expect(shown.stdout).toMatch(new RegExp(`admin token: create-token ${id} scopes read, until `));
    expect((await admin("list")).stdout).toMatch(new RegExp(`^${id} {2}qa {2}read {2}`, "m"));
    expect(await admin("revoke", id)).toMatchObject({ code: 0, stdout: expect.stringMatching(/revoked \d{4}-/) });
    expect(await as(token, "project")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/not valid: it is unknown, revoked or expired/),
    });
  });

  test("a project shows its submissions, and which of them fail", async () => {
    expect(await submit(`debian/${suite}`, source, "--wait")).toMatchObject({ code: 0 });
    const all = await quorate(["project", "--data", network.layout.root]);
    const own = new RegExp(`  debian/${suite} ${source} 1\\.2 \\(\\w+\\): reproduced, round [0-9a-f]{64}$`, "m");
    expect(all.stdout).toMatch(own);
    const failing = await quorate(["project", "--data", network.layout.root, "--failing", "--json"]);
    const { failing: count, builderSeconds, newest } = JSON.parse(failing.stdout);
    expect(count).toBe(1);
    expect(builderSeconds).toBeGreaterThanOrEqual(0);
    expect(newest).toMatchObject([{ request: { distribution: "swapped" } }]);
  });

  test.each([
    ["a scope that there is not", ["create", "qa", "--scope", "all"], /'all' is invalid\. Allowed choices are submit, read, webhooks\./],
    ["no scope", ["create", "qa"], /required option '--scope <scope\.\.\.>' not specified/],
    ["a name that is none", ["create", "Q A", "--scope", "read"], /token of project "Q A": its name must be lower-case letters/],
    ["an id that is none", ["revoke", "7"], /revoking token "7": this is no token's id; `quorate network tokens list`/],
    ["a token that there is not", ["revoke", "00000000-0000-4000-8000-000000000000"], /there is no token 00000000-.*GET \/v1\/tokens/],
  ])("%s is refused in one line", async (_what, words, reason) => {
    expect(await admin(...words)).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(reason) });
  });

  test("without the network's token nothing is given, and without a project's nothing is shown", async () => {
    const empty = join(directory, "empty");
    await mkdir(empty, { recursive: true });
    const stranger = async (...words: string[]) => await quorate([...words, "--url", network.url, "--data", empty]);
    expect(await stranger("network", "tokens", "list")).toMatchObject({ code: 1, stderr: expect.stringMatching(/QUORATE_ADMIN_TOKEN/) });
    expect(await stranger("project")).toMatchObject({ code: 1, stderr: expect.stringMatching(/reading a project at .*QUORATE_TOKEN/) });
  });
});
