import { request } from "node:http";
import { zstdCompressSync } from "node:zlib";
import { verifyLink } from "@quorate/attestation/in-toto-link";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import type { Policy } from "@quorate/protocol/policy";
import { defaultPolicy } from "@quorate/protocol/policy";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { enrolLinkingOperator, type LinkingOperator } from "./linking-operator.fixture.ts";
import { invitationToken, startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import { dashboardV0Schema, packageReleaseSchema, queueListSchema } from "./rebuilderd/v0-records.ts";
import {
  artifactSchema,
  binaryPackageSchema,
  buildSchema,
  dashboardSchema,
  pageSchemaOf,
  publicKeysSchema,
  queuedJobSchema,
  sourcePackageSchema,
  workerSchema,
} from "./rebuilderd/v1-records.ts";
import { submitted } from "./submitted.fixture.ts";

const names = ["alpha", "beta", "gamma"];
const policy: Policy = { ...defaultPolicy, committeeSize: 3 };
const owned = new AsyncDisposableStack();
const otherDigest = (published: Sha256) => sha256Of(utf8(`not ${published}`));
let network: TestNetwork;
let operators: Record<"ada" | "bert" | "eve", LinkingOperator>;

// Ada and Bert build what was published; Eve says otherwise of beta. Gamma is submitted and not built.
beforeAll(async () => {
  network = owned.use(
    await startTestNetwork({ sources: names.map((source) => ({ source, version: "1.0", architecture: "all" })), policy }),
  );
  const enrol = async (name: string) => owned.use(await enrolLinkingOperator({ url: network.url, invitationToken, name }));
  const [ada, bert, eve] = [await enrol("Ada"), await enrol("Bert"), await enrol("Eve")];
  operators = { ada, bert, eve };
  for (const [source, lie] of [
    ["alpha", undefined],
    ["beta", otherDigest],
  ] as const) {
    const round = await submitted(network, source);
    await Promise.all([ada.work(), bert.work(), eve.work(lie)]);
    await round.settled();
  }
  const round = await submitted(network, "gamma");
  await ada.operator.takeJob();
  await round.once(({ state }) => state === "building");
});
afterAll(() => owned.disposeAsync());

type Answer = { status: number; headers: NodeJS.Dict<string | string[]>; text: string };

/** Asks under a hostname, as a client does that was told it. */
async function ask(hostname: string, path: string, options: { method?: string; headers?: Record<string, string>; body?: Uint8Array } = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { method = "GET", headers = {}, body } = options;
  const asking = request(`${network.url}${path}`, { method, headers: { host: `${hostname}:80`, ...headers } }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }),
    );
  });
  asking.on("error", reject).end(body);
  return promise;
}

async function read<Schema extends z.ZodType>(schema: Schema, path: string, hostname = "ada.rebuilders.test"): Promise<z.infer<Schema>> {
  const { status, text } = await ask(hostname, path);
  expect(status, text).toBe(200);
  return schema.parse(JSON.parse(text));
}

const binaries = pageSchemaOf(binaryPackageSchema);
const recordOf = async (name: string, hostname?: string) => {
  const { records } = await read(binaries, `/api/v1/packages/binary?name=${name}&version=1.0&architecture=all`, hostname);
  const [record] = records;
  if (record === undefined || records.length > 1) throw new Error(`${records.length} records of ${name}`);
  return record;
};

describe("packages", () => {
  test("a record has these fields and no other, ids of 32 bits, and times that do not say UTC", async () => {
    const { id, build_id, last_seen, ...record } = await recordOf("alpha");
    expect(record).toEqual({
      name: "alpha",
      version: "1.0",
      distribution: "debian",
      release: "small",
      component: "main",
      architecture: "all",
      url: `${network.archive.url}/pool/main/a/alpha/alpha_1.0_all.deb`,
      status: "GOOD",
      artifact_id: id,
      diffoscope_log_id: null,
      attestation_log_id: id,
      seen_in_last_sync: true,
    });
    expect(build_id).toBeGreaterThan(0);
    expect(last_seen).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/);
  });

  test("each operator's hostname says what that operator found, and every other one what the network did", async () => {
    const statuses = async (hostname: string) => [(await recordOf("alpha", hostname)).status, (await recordOf("beta", hostname)).status];
    expect(await statuses("ada.rebuilders.test")).toEqual(["GOOD", "GOOD"]);
    expect(await statuses("EVE.rebuilders.test")).toEqual(["GOOD", "BAD"]);
    expect(await statuses("rebuilders.test")).toEqual(["GOOD", "GOOD"]);
    expect(await statuses("127.0.0.1")).toEqual(["GOOD", "GOOD"]);
  });

  test("what was not rebuilt is unknown, and has no build to ask for", async () => {
    expect(await recordOf("gamma")).toMatchObject({ status: "UNKWN", build_id: null, artifact_id: null, attestation_log_id: null });
  });

  test("pages follow each other by the last id until there is none, in either direction", async () => {
    for (const [direction, expected] of [
      ["Ascending", names],
      ["Descending", names.toReversed()],
    ] as const) {
      const found: string[] = [];
      for (let after = ""; ;) {
        const { total, records } = await read(binaries, `/api/v1/packages/binary?limit=1&sort=name&direction=${direction}${after}`);
        expect(total).toBe(3);
        const [record] = records;
        if (record === undefined) break;
        found.push(record.name);
        after = `&after=${record.id}`;
      }
      expect(found).toEqual(expected);
    }
    expect((await read(binaries, "/api/v1/packages/binary?sort=name&after=2000000000")).records).toEqual([]);
  });

  test("filters narrow, and `-` stands for any release", async () => {
    const total = async (query: string) => (await read(binaries, `/api/v1/packages/binary?${query}`)).total;
    expect(await total("distribution=debian&release=small&component=main&architecture=all")).toBe(3);
    expect(await total("release=-&seen_only=true")).toBe(3);
    for (const query of ["distribution=arch", "release=sid", "component=contrib", "architecture=amd64", "name=alph"]) {
      expect(await total(query), query).toBe(0);
    }
  });

  test("a package and a source are found by id", async () => {
    const record = await recordOf("beta");
    expect(await read(binaryPackageSchema, `/api/v1/packages/binary/${record.id}`)).toEqual(record);
    const sources = await read(pageSchemaOf(sourcePackageSchema), "/api/v1/packages/source?sort=name", "eve.rebuilders.test");
    expect(sources.records.map(({ name, status }) => `${name} ${status}`)).toEqual(["alpha GOOD", "beta BAD", "gamma UNKWN"]);
    const [alpha] = sources.records;
    expect(await read(sourcePackageSchema, `/api/v1/packages/source/${alpha?.id}`, "eve.rebuilders.test")).toEqual(alpha);
    expect((await ask("rebuilders.test", "/api/v1/packages/binary/999")).status).toBe(404);
    expect((await ask("rebuilders.test", "/api/v1/packages/binary/4294967296")).status).toBe(400);
  });
});

describe("builds", () => {
  test("a build has its log, its artifacts, and an attestation that is the operator's own, byte for byte", async () => {
    const { build_id, artifact_id } = await recordOf("alpha");
    const build = await read(buildSchema, `/api/v1/builds/${build_id}`);
    expect(build).toMatchObject({ id: build_id, name: "alpha", architecture: "all", release: "small", status: "GOOD", retries: 0 });
    expect((await ask("ada.rebuilders.test", `/api/v1/builds/${build_id}/log`)).text).toBe("Ada builds\n");
    const artifacts = await read(z.array(artifactSchema), `/api/v1/builds/${build_id}/artifacts`);
    expect(artifacts).toEqual([
      { id: artifact_id, name: "alpha_1.0_all.deb", has_diffoscope: false, has_attestation: true, status: "GOOD" },
    ]);
    expect(await read(artifactSchema, `/api/v1/builds/${build_id}/artifacts/${artifact_id}`)).toEqual(artifacts[0]);
    const { text } = await ask("ada.rebuilders.test", `/api/v1/builds/${build_id}/artifacts/${artifact_id}/attestation`);
    expect(verifyLink(text, operators.ada.linkSigner.publicKey, verifyNoteSignature).product.name).toBe("alpha_1.0_all.deb");
    expect((await ask("ada.rebuilders.test", `/api/v1/builds/${build_id}/artifacts/${artifact_id}/diffoscope`)).status).toBe(404);
  });

  test("the network gives out the attestation of an operator that agrees with its verdict", async () => {
    const { build_id, artifact_id } = await recordOf("beta", "rebuilders.test");
    const { text } = await ask("rebuilders.test", `/api/v1/builds/${build_id}/artifacts/${artifact_id}/attestation`);
    const keys = [operators.ada, operators.bert].map(({ linkSigner }) => linkSigner.publicKey);
    expect(keys.filter((key) => verifies(text, key))).toHaveLength(1);
  });

  test("one operator's hostname has no build of another", async () => {
    const { build_id } = await recordOf("alpha", "bert.rebuilders.test");
    expect((await ask("ada.rebuilders.test", `/api/v1/builds/${build_id}`)).status).toBe(404);
    expect((await ask("bert.rebuilders.test", `/api/v1/builds/${build_id}`)).status).toBe(200);
    const ofAda = await read(pageSchemaOf(buildSchema), "/api/v1/builds");
    expect(ofAda.records.map(({ name }) => name)).toEqual(["alpha", "beta"]);
    expect((await read(pageSchemaOf(buildSchema), "/api/v1/builds", "rebuilders.test")).total).toBe(6);
  });
});

describe("the rebuilder", () => {
  test("shows its own key with NULL parameters; the network shows everybody's", async () => {
    const own = await read(publicKeysSchema, "/api/v1/meta/public-keys");
    const [pem = ""] = own.current;
    const der = Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\n/g, ""), "base64");
    expect(der.toString("hex")).toBe(`302c300706032b65700500032100${Buffer.from(operators.ada.linkSigner.publicKey).toString("hex")}`);
    expect((await read(publicKeysSchema, "/api/v1/meta/public-keys", "rebuilders.test")).current).toHaveLength(3);
    expect(await read(publicKeysSchema, "/api/v0/public-keys")).toEqual(own);
  });

  test("counts what it found and what it has to do", async () => {
    const eve = await read(dashboardSchema, "/api/v1/dashboard", "eve.rebuilders.test");
    expect(eve).toEqual({ rebuilds: { good: 1, bad: 1, fail: 0, unknown: 1 }, jobs: { running: 0, available: 1, pending: 0 } });
    expect((await read(dashboardSchema, "/api/v1/dashboard", "rebuilders.test")).rebuilds).toEqual({
      good: 2,
      bad: 0,
      fail: 0,
      unknown: 1,
    });
    expect(await read(z.array(z.string()), "/api/v1/meta/distributions")).toEqual(["debian"]);
    expect(await read(z.array(z.string()), "/api/v1/meta/distributions/debian/releases")).toEqual(["small"]);
    expect(await read(z.array(z.string()), "/api/v1/meta/distributions/debian/architectures")).toEqual(["all"]);
    expect(await read(z.array(z.string()), "/api/v1/meta/distributions/debian/releases/-/architectures")).toEqual(["all"]);
    expect(await read(z.array(z.string()), "/api/v1/meta/distributions/debian/releases/sid/architectures")).toEqual([]);
  });

  test("lists what waits to be built, once for the whole network", async () => {
    for (const hostname of ["ada.rebuilders.test", "rebuilders.test"]) {
      const queue = await read(pageSchemaOf(queuedJobSchema), "/api/v1/queue?limit=1000&sort=priority", hostname);
      expect(queue).toMatchObject({ total: 1, records: [{ name: "gamma", architecture: "all", started_at: null, priority: 0 }] });
      expect(queue.records[0]?.url).toBe(`${network.archive.url}/pool/main/g/gamma/gamma_1.0.dsc`);
    }
  });

  test("has workers without addresses", async () => {
    const workers = await read(pageSchemaOf(workerSchema), "/api/v1/workers", "rebuilders.test");
    expect(workers.records.map(({ name, address, addr }) => [name, address, addr])).toEqual(
      ["Ada", "Bert", "Eve"].map((name) => [name, "", ""]),
    );
    expect((await read(z.array(workerSchema), "/api/v0/workers")).map(({ name }) => name)).toEqual(["Ada"]);
  });

  test("no answer holds an address of an operator", async () => {
    const paths = ["/api/v1/workers", "/api/v1/queue", "/api/v1/builds", "/api/v0/workers", "/api/v0/dashboard"];
    for (const path of paths) {
      const { text } = await ask("rebuilders.test", path);
      expect(text, path).not.toMatch(/\b\d{1,3}(\.\d{1,3}){3}\b/);
    }
  });
});

describe("version 0", () => {
  test("lists every package; a suite is what Debian calls a component", async () => {
    const releases = await read(z.array(packageReleaseSchema), "/api/v0/pkgs/list", "eve.rebuilders.test");
    expect(releases.map(({ name, status, suite }) => `${name} ${status} ${suite}`)).toEqual([
      "alpha GOOD main",
      "beta BAD main",
      "gamma UNKWN main",
    ]);
    const bad = await read(z.array(packageReleaseSchema), "/api/v0/pkgs/list?status=BAD&distro=debian&suite=main", "eve.rebuilders.test");
    expect(bad.map(({ name }) => name)).toEqual(["beta"]);
    const link = await ask("eve.rebuilders.test", `/api/v0/builds/${bad[0]?.build_id}/attestation`);
    expect(verifies(link.text, operators.eve.linkSigner.publicKey)).toBe(true);
    expect((await ask("eve.rebuilders.test", `/api/v0/builds/${bad[0]?.build_id}/log`)).text).toBe("Eve builds\n");
    expect((await ask("eve.rebuilders.test", `/api/v0/builds/${bad[0]?.build_id}/diffoscope`)).status).toBe(404);
  });

  test("a list that has not changed is not sent again", async () => {
    const modified = async () => (await ask("ada.rebuilders.test", "/api/v0/pkgs/list")).headers["last-modified"];
    await expect.poll(modified).toBeDefined();
    const since = String(await modified());
    expect((await ask("ada.rebuilders.test", "/api/v0/pkgs/list", { headers: { "if-modified-since": since } })).status).toBe(304);
    const earlier = new Date(Date.parse(since) - 1000).toUTCString();
    expect((await ask("ada.rebuilders.test", "/api/v0/pkgs/list", { headers: { "if-modified-since": earlier } })).status).toBe(200);
  });

  test("the queue is asked for by a body, plain or compressed", async () => {
    const body = Buffer.from(JSON.stringify({ limit: null }));
    const headers = { "content-type": "application/json" };
    const plain = await ask("ada.rebuilders.test", "/api/v0/queue/list", { method: "POST", headers, body });
    const compressed = await ask("ada.rebuilders.test", "/api/v0/queue/list", {
      method: "POST",
      headers: { ...headers, "content-encoding": "zstd" },
      body: zstdCompressSync(body),
    });
    for (const { status, text } of [plain, compressed]) {
      expect(status, text).toBe(200);
      expect(queueListSchema.parse(JSON.parse(text)).queue).toMatchObject([
        { pkgbase: { name: "gamma" }, version: "1.0", started_at: null },
      ]);
    }
    expect(await read(dashboardV0Schema, "/api/v0/dashboard")).toMatchObject({
      suites: { main: { good: 2, unknown: 1, bad: 0 } },
      active_builds: [],
      queue_length: 1,
    });
  });
});

test("nothing is changed through this API, and a body that grows without end is not taken", async () => {
  const headers = { "content-type": "application/json", "content-encoding": "zstd" };
  for (const [method, path] of [
    ["POST", "/api/v1/queue"],
    ["DELETE", "/api/v1/queue/1"],
    ["POST", "/api/v1/builds"],
    ["POST", "/api/v0/pkgs/sync"],
  ] as const) {
    const body = method === "POST" ? { headers, body: zstdCompressSync("{}") } : {};
    expect((await ask("ada.rebuilders.test", path, { method, ...body })).status, path).toBe(403);
  }
  const bomb = zstdCompressSync(Buffer.alloc(64 * 2 ** 20, " "));
  expect((await ask("ada.rebuilders.test", "/api/v0/queue/list", { method: "POST", headers, body: bomb })).status).toBe(413);
});

function verifies(link: string, key: Uint8Array): boolean {
  try {
    verifyLink(link, key, verifyNoteSignature);
    return true;
  } catch {
    return false;
  }
}
