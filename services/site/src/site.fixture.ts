import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { openDataDirectory } from "@quorate/service/data-directory";
import { silentLogger } from "@quorate/service/logger";
import { cosigned, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import type { TestNetwork } from "@quorate/verdict/network.fixture";
import { openReadModel, type ReadModel, readModelFormat } from "./read-model.ts";
import { type Site, startSite } from "./start.ts";

/** For tests: a site over the log of a network in the making, with a coordinator that is down. */
export type TestSite = AsyncDisposable & {
  readonly url: string;
  /** What the site reads from now on. */
  publish(network: TestNetwork): Promise<void>;
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; headers: Headers; text: string }>;
};

const nothingListens = "http://127.0.0.1:9";

type Options = {
  coordinatorUrl?: string;
  publicUrl?: string;
  requestsAMinute?: number;
  /** Puts facts into the read model that are in no log. */
  seed?: (model: ReadModel) => void;
};

export async function startTestSite(network: TestNetwork, options: Options = {}): Promise<TestSite> {
  const { coordinatorUrl = nothingListens, publicUrl, requestsAMinute = 1200, seed } = options;
  const directory = await mkdtemp(join(tmpdir(), "quorate-site-"));
  const log = join(directory, "log");
  const publish = async ({ entries, tree }: TestNetwork) => {
    await writeTiles(log, entries);
    await writeLogFile(log, "checkpoint", cosigned({ size: entries.length, root: tree.rootAt(entries.length) }, testWitnesses));
  };
  await publish(network);
  if (seed) await seedReadModel(join(directory, "site"), seed);
  const policy = network.trustPolicy();
  const site: Site = await startSite(
    {
      dataDirectory: join(directory, "site"),
      host: "127.0.0.1",
      port: 0,
      publicUrl,
      trustedProxies: ["127.0.0.1"],
      requestsAMinute,
      coordinatorUrl,
      logUrl: pathToFileURL(log).href,
      policy,
      policyText: formatTrustPolicy(policy),
    },
    { logger: silentLogger, followMilliseconds: 20 },
  );
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${site.url}${path}`, { headers, redirect: "manual" });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  // Ready once the log has been read.
  for (let ready = 0; ready !== 200; ready = (await get("/health/ready")).status);
  return {
    url: site.url,
    publish,
    get,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function seedReadModel(path: string, seed: (model: ReadModel) => void): Promise<void> {
  await using directory = await openDataDirectory({ path, service: "site", format: readModelFormat });
  using model = await openReadModel(directory);
  model.saveReadTo({ size: 0, peaks: [], checkpoint: "" }, () => seed(model));
}
