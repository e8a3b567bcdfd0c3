import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestNetwork as LoggedNetwork } from "@quorate/verdict/network.fixture";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { loadP256Key } from "@quorate/signing/p256-key";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { startTestNetwork, type TestNetwork } from "../services/coordinator/src/network.fixture.ts";
import { type Server, startService } from "../services/coordinator/src/servers.fixture.ts";
import { inLanes } from "../test/integration/log-constellation.ts";
import { type Figure, percentile } from "./figure.ts";
import { largeNetwork, operatorNumbered, sha256Numbered, sourceNumbered } from "./large-network.ts";
import { seedLarge } from "./seed-large.ts";
import { peakBytesOf } from "./watched-process.ts";

const samples = 300;
const keptRequests = 20_000;
const lanes = 16;
const lineFeed = 10;

/**
 * The API and the site of a network that knows 250,000 results of 83,334 targets, each a process of its own, over loopback. What is asked for once
 * is asked for by one client; then one page again and again by sixteen. The facts are put into PostgreSQL (PGlite) and into the site's read model;
 * the log that both follow is small.
 */
export async function measure(): Promise<Figure[]> {
  await using network = await startTestNetwork({ sources: [{ source: "small", version: "1", architecture: "all" }], isProcess: true });
  await using large = await startLargeSite(network);
  using agent = new Client();
  const once95 = async (name: string, base: string, path: (at: number) => string): Promise<Figure> => {
    const floor = percentile(await times(agent, () => `${base}/health/live`), 0.95);
    const value = percentile(await times(agent, (at) => `${base}${path(at)}`), 0.95);
    return { name: `${name}, 95 %`, value, unit: "ms", ratio: floor / value, reference: "the server's most trivial route" };
  };
  const { site } = large;
  return [
    await once95("API: artifact by digest", network.url, (at) => `/v1/artifacts/sha256/${sha256Numbered(spread(at))}`),
    await once95("API: artifacts by name", network.url, (at) => `/v1/artifacts?name=${sourceNumbered(spread(at))}`),
    await once95("artifact by digest", site.url, (at) => `/artifact/${sha256Numbered(spread(at))}`),
    await once95("package", site.url, (at) => `/package/${sourceNumbered(spread(at))}`),
    await once95("search that leads to a package", site.url, (at) => `/search?q=${sourceNumbered(spread(at))}`),
    await once95("search that suggests names", site.url, (at) => `/search?q=sourc&asked=${at}`),
    await once95("home", site.url, (at) => `/?${at}`),
    await once95("suites", site.url, (at) => `/suites?${at}`),
    await once95("operators", site.url, (at) => `/operators?${at}`),
    await once95("one operator", site.url, (at) => `/operator/${operatorNumbered(at)}?${at}`),
    await once95("log entry", site.url, (at) => `/log/entry/0?${at}`),
    await keptPage(agent, site),
    ...(await verdictFeed(site)),
  ];
}

type LargeSite = AsyncDisposable & { readonly site: Server<{ url: string }> };

async function startLargeSite(network: TestNetwork): Promise<LargeSite> {
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "quorate-large-site-"));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const [dataDirectory, policyFile] = [join(directory, "site"), join(directory, "policy")];
  await seedLarge({ databaseUrl: network.config.DATABASE_URL, readModelDirectory: dataDirectory });
  await writeFile(policyFile, await trustPolicyOf(network));
  const site = resources.use(
    await startService("site", {
      SITE_DATA_DIR: dataDirectory,
      SITE_PORT: "0",
      COORDINATOR_URL: network.url,
      LOG_URL: network.config.LOG_URL,
      TRUST_POLICY_FILE: policyFile,
    }),
  );
  for (let status = 0; status !== 200;) ({ status } = await fetch(`${site.url}/health/ready`));
  const owned = resources.move();
  return { site, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Of a reader who believes the network's key and witnesses. */
async function trustPolicyOf({ config }: TestNetwork): Promise<string> {
  const logged = new LoggedNetwork();
  for (const name of largeNetwork.operators) logged.enrol(name);
  return formatTrustPolicy({
    ...logged.trustPolicy(),
    witnessPolicy: parseTlogPolicy(await readFile(config.WITNESS_POLICY_FILE, "utf8")),
    network: { name: "network", key: loadP256Key(config.NETWORK_KEY_FILE).spki },
  });
}

/** Pages a second of an artifact that was asked for before. */
async function keptPage(agent: Client, { url }: Server<{ url: string }>): Promise<Figure> {
  const path = `/artifact/${sha256Numbered(1)}`;
  const perSecond = async (asked: string) => {
    const startedAt = performance.now();
    await inLanes(keptRequests, lanes, () => agent.ask(`${url}${asked}`));
    return (keptRequests * 1000) / (performance.now() - startedAt);
  };
  await perSecond(path);
  const value = await perSecond(path);
  return {
    name: `artifact page that is kept, ${lanes} clients in one process`,
    value,
    unit: "pages/s",
    ratio: value / (await perSecond("/health/live")),
    reference: "the server's most trivial route",
  };
}

/** Every verdict as lines, compressed. */
async function verdictFeed({ url, pid }: Server<{ url: string }>): Promise<Figure[]> {
  const before = await peakBytesOf(pid);
  const startedAt = performance.now();
  const response = await fetch(`${url}/v1/verdicts`, { headers: { accept: "application/x-ndjson", "accept-encoding": "gzip" } });
  let lines = 0;
  for await (const chunk of response.body ?? []) {
    for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, at + 1)) lines += 1;
  }
  if (lines !== largeNetwork.targets) throw new Error(`reading all verdicts: ${lines} lines of ${largeNetwork.targets}`);
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await peakBytesOf(pid);
  return [
    { name: `all verdicts, ${lines} lines`, value: seconds, unit: "s" },
    { name: "peak memory of the site", value: after / 2 ** 20, unit: "MiB" },
    { name: "of it, for all verdicts at once", value: (after - before) / 2 ** 20, unit: "MiB" },
  ];
}

async function times(agent: Client, urlOf: (at: number) => string): Promise<number[]> {
  const found: number[] = [];
  for (let at = 0; at < samples; at += 1) {
    const startedAt = performance.now();
    await agent.ask(urlOf(at));
    found.push(performance.now() - startedAt);
  }
  return found.slice(samples / 10);
}

/** Keeps its connections; takes less of the processors than `fetch`, which the servers need. */
class Client implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: lanes });

  async ask(url: string): Promise<void> {
    const request = get(url, { agent: this.#agent, headers: { "accept-encoding": "gzip" } });
    const [response] = await once(request, "response");
    response.resume();
    await once(response, "end");
    if (response.statusCode >= 400) throw new Error(`asking for ${url}: ${response.statusCode}`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Targets all over the model, in no order. */
function spread(at: number): number {
  return (at * 7919) % largeNetwork.targets;
}
