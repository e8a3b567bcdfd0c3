import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseSha256 } from "@quorate/protocol/digest";
import type { SubmissionView } from "@quorate/protocol/submission";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadSettings } from "../../services/cli/src/up/settings.ts";
import { enrolLinkingOperator, type LinkingOperator } from "../../services/coordinator/src/linking-operator.fixture.ts";
import { settled, startTestNetwork, type TestNetwork } from "../network.ts";
import { serveDirectory } from "../serve-directory.ts";
import { samples } from "../samples.ts";
import { type DebianPrograms, fetchDebianPrograms } from "./debian-programs.ts";
import { startNameProxy } from "./name-proxy.ts";

// Debian's own clients, unmodified, against a network whose two honest operators really build. The third lies: it says that a tampered
// package came out, and signs for it.
const run = promisify(execFile);
/** repro-threshold reads compressed packages only. */
const steady = { ...samples.steady, compression: "xz" } as const;
const owned = new AsyncDisposableStack();
let directory: string;
let network: TestNetwork;
let liar: LinkingOperator;
let submission: SubmissionView;
let forky: DebianPrograms;
let trixie: DebianPrograms;
let good: string;
let tampered: string;
let proxied: Record<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-clients-"));
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  forky = await fetchDebianPrograms(directory, "forky", ["rebuildctl", "repro-threshold", "debian-repro-status", "cosign"]);
  trixie = await fetchDebianPrograms(directory, "trixie", ["rebuildctl", "debian-repro-status"]);
  network = owned.use(await startTestNetwork([steady], { operators: 2, policy: { threshold: 2, committeeSize: 3 } }));
  const { url, layout } = network.network;
  const invitationToken = (await loadSettings(layout.settings))?.tokens.invitation ?? "";
  liar = owned.use(await enrolLinkingOperator({ url, invitationToken, name: "liar" }));
  good = join(network.archive.root, `pool/main/s/${steady.source}/${steady.source}_${steady.version}_all.deb`);
  tampered = join(directory, `${steady.source}_${steady.version}_all.deb`);
  const tree = join(directory, "tree");
  await run("dpkg-deb", ["-R", good, tree]);
  await writeFile(join(tree, "usr/share/sample/text"), "tampered with\n");
  await run("dpkg-deb", ["--root-owner-group", "-b", tree, tampered]);
  const lie = parseSha256(
    createHash("sha256")
      .update(await readFile(tampered))
      .digest("hex"),
  );
  const request = { distribution: "debian", suite: network.suite, source: steady.source };
  const submitting = network.api.submit(request);
  await Promise.all([liar.work(() => lie), submitting]);
  submission = await settled(network.api, await submitting);
  const [mirror, tampering] = [owned.use(await serveDirectory(network.archive.root)), owned.use(await serveDirectory(directory))];
  const proxy = owned.use(await startNameProxy(url, { "mirror.test": mirror.url, "tampering.test": tampering.url }));
  proxied = { http_proxy: proxy.url, HOME: directory };
});
afterAll(() => owned.disposeAsync());

const honest = ["alder.localhost", "birch.localhost"];
const rebuilders = [...honest, "liar.rebuilders.test"].map((hostname) => `http://${hostname}`);

test("the network's verdict is `reproduced`, and names the liar", () => {
  expect(submission.rounds.map(({ verdict }) => verdict)).toMatchObject([{ outcome: "reproduced", dissent: [liar.operator.id] }]);
});

describe.each([
  ["rebuildctl 0.28", () => forky],
  ["rebuildctl 0.23.1", () => trixie],
])("%s", (_, programs) => {
  const rebuildctl = (host: string, ...parameters: string[]) =>
    programs().run("rebuildctl", ["-H", `http://${host}`, ...parameters], { env: proxied });

  test("lists an operator's packages", async () => {
    const { code, output } = await rebuildctl("alder.localhost", "pkgs", "ls");
    expect(code, output).toBe(0);
    expect(output).toMatch(new RegExp(`GOOD.*${steady.source}.*${steady.version}`));
    expect((await rebuildctl("liar.rebuilders.test", "pkgs", "ls")).output).toMatch(new RegExp(`BAD.*${steady.source}`));
  });

  test("shows the build log and the attestation", async () => {
    const log = await rebuildctl("alder.localhost", "pkgs", "log", "--name", steady.source);
    expect(log.code, log.output).toBe(0);
    expect(log.output).toContain("dpkg-buildpackage");
    const attestation = await rebuildctl("alder.localhost", "pkgs", "attestation", "--name", steady.source);
    expect(attestation.code, attestation.output).toBe(0);
    expect(attestation.output).toContain(`rebuild ${steady.source}_${steady.version}_all.deb`);
  });

  test("shows the workers and the queue", async () => {
    const status = await rebuildctl("alder.localhost", "status");
    expect(status.code, status.output).toBe(0);
    const queue = await rebuildctl("alder.localhost", "queue", "ls");
    expect(queue.code, queue.output).toBe(0);
  });
});

test.each([
  ["0.4", () => forky],
  ["0.3.1", () => trixie],
])("debian-repro-status %s counts an installed package as reproduced", async (_, programs) => {
  const installed = join(directory, "installed");
  await writeFile(installed, `installed ${steady.source} all ${steady.version}\n`);
  const parameters = ["-H", "http://alder.localhost", "--architecture", "all", "--dpkg-query-output", installed];
  const { code, output } = await programs().run("debian-repro-status", parameters, { env: proxied });
  expect(code, output).toBe(0);
  expect(output).toContain(steady.source);
  expect(output).toContain("100.00%");
});

describe("repro-threshold with a threshold of 2 of 3 operators, of whom one lies", () => {
  const verify = async (file: string) => {
    const keys: string[] = [];
    for (const rebuilder of rebuilders) {
      const path = join(directory, `${new URL(rebuilder).hostname}.pub`);
      await writeFile(path, await keyOf(rebuilder));
      keys.push(path);
    }
    const parameters = [...keys.flatMap((key) => ["-S", key]), ...rebuilders.flatMap((rebuilder) => ["-R", rebuilder]), "-t", "2", file];
    return forky.run("repro-threshold", ["plumbing", "verify", ...parameters], { env: proxied });
  };

  test("headless, the good package is accepted and the tampered one refused", async () => {
    const accepted = await verify(good);
    expect(accepted.code, accepted.output).toBe(0);
    const refused = await verify(tampered);
    expect(refused.code, refused.output).not.toBe(0);
    expect(refused.output).toContain("1/2");
  });

  test("as apt's transport too", async () => {
    const config = { ...proxied, REPRO_THRESHOLD_CONFIG: join(directory, "repro-threshold.conf") };
    const trusted = await Promise.all(rebuilders.map(async (url) => formatTrusted(url, await keyOf(url))));
    await writeFile(config.REPRO_THRESHOLD_CONFIG, `[rules]\nrequired_threshold = 2\n${trusted.join("")}`);
    const listed = await forky.run("repro-threshold", ["plumbing", "list-rebuilders"], { env: config });
    expect(listed.output.match(/^\[x\]/gm)).toHaveLength(3);
    const acquire = async (uri: string) => {
      const input = `600 URI Acquire\nURI: reproduced+${uri}\nFilename: ${join(directory, "acquired.deb")}\nTarget-Type: deb\n\n`;
      return (await forky.run("repro-threshold", ["transport", "apt"], { env: config, input })).output;
    };
    const path = good.slice(network.archive.root.length);
    expect(await acquire(`http://mirror.test${path}`)).toMatch(/^201 URI Done$/m);
    const refused = await acquire(`http://tampering.test/${steady.source}_${steady.version}_all.deb`);
    expect(refused).toMatch(/^400 URI Failure$/m);
    expect(refused).not.toMatch(/^201 /m);
  });
});

describe("cosign, without an insecure flag", () => {
  const verify = async (bundle: string, file: string, operator: string) => {
    const { operators } = await network.api.network();
    const identityKey = operators.find((enrolled) => enrolled.operator === operator)?.identityKey ?? "";
    const [key, root, path] = ["key.pem", "trusted_root.json", "bundle.json"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(key, `-----BEGIN PUBLIC KEY-----\n${identityKey}\n-----END PUBLIC KEY-----\n`);
    await writeFile(root, await read("/v1/trusted_root.json"));
    await writeFile(path, bundle);
    const parameters = ["--key", key, "--trusted-root", root, "--bundle", path, "--type", "slsaprovenance1", file];
    return forky.run("cosign", ["verify-blob-attestation", ...parameters], { env: { HOME: directory } });
  };
  const inputs = () => submission.rounds[0]?.verdict?.inputs ?? [];

  test("accepts each operator's result for what it says came out", async () => {
    expect(inputs()).toHaveLength(3);
    for (const { index, operator } of inputs()) {
      const bundle = await read(`/v1/results/${index}/bundle`);
      const [said, other] = operator === liar.operator.id ? [tampered, good] : [good, tampered];
      const accepted = await verify(bundle, said, operator);
      expect(accepted.output).toContain("Verified OK");
      expect(accepted.code).toBe(0);
      expect((await verify(bundle, other, operator)).code).not.toBe(0);
    }
  });

  test("refuses a result that was altered, one under another key, and one whose place in the log is another", async () => {
    const [first, second] = inputs();
    const bundle = await read(`/v1/results/${first?.index}/bundle`);
    const altered = (change: (parsed: ReturnType<typeof JSON.parse>) => void): string => {
      const parsed = JSON.parse(bundle);
      change(parsed);
      return JSON.stringify(parsed);
    };
    const file = first?.operator === liar.operator.id ? tampered : good;
    const operator = first?.operator ?? "";
    const statement = (parsed: ReturnType<typeof JSON.parse>) => Buffer.from(parsed.dsseEnvelope.payload, "base64").toString();
    for (const broken of [
      altered((parsed) => (parsed.dsseEnvelope.payload = Buffer.from(statement(parsed).replace("-1", "-2")).toString("base64"))),
      altered(({ verificationMaterial: { tlogEntries } }) => {
        tlogEntries[0].logIndex = "1";
        tlogEntries[0].inclusionProof.logIndex = "1";
      }),
      altered((parsed) => (parsed.verificationMaterial.tlogEntries = [])),
    ]) {
      expect((await verify(broken, file, operator)).code).not.toBe(0);
    }
    expect((await verify(bundle, file, second?.operator ?? "")).code).not.toBe(0);
  });
});

async function read(path: string): Promise<string> {
  const response = await fetch(`${network.network.url}${path}`);
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
  return response.text();
}

/** An operator's link key, as it is shown on its hostname. */
async function keyOf(rebuilder: string): Promise<string> {
  const { current } = JSON.parse(await readFrom(new URL(rebuilder).hostname, "/api/v1/meta/public-keys"));
  return current.join("");
}

/** What repro-threshold keeps of a rebuilder once its user has chosen to trust it. */
function formatTrusted(url: string, key: string): string {
  const { hostname } = new URL(url);
  return `\n[[trusted_rebuilder]]\nname = "${hostname}"\nurl = "${url}"\ndistributions = []\nsigning_keyring = """\n${key}"""\n`;
}

/** What is served under a hostname. */
async function readFrom(hostname: string, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get(`${network.network.url}${path}`, { headers: { host: hostname } }, (answer) => {
    void answer
      .setEncoding("utf8")
      .toArray()
      .then((chunks) => resolve(chunks.join("")), reject);
  }).on("error", reject);
  return promise;
}
