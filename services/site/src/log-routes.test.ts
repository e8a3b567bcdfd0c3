import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createLogReader } from "@quorate/client/log-reader";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { openDataDirectory } from "@quorate/service/data-directory";
import { createHttpApp } from "@quorate/service/http-app";
import { silentLogger } from "@quorate/service/logger";
import { cosigned, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { MerkleFrontier } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { expect, it } from "vitest";
import { loadAssets } from "./assets.ts";
import { addLogRoutes } from "./log-routes.ts";
import { openReadModel, readModelFormat } from "./read-model.ts";
import { createSendPage } from "./routes.ts";
import { createSiteState } from "./site-state.ts";

/** A site that has read the first `size` entries of a log of three, under the checkpoint of all of them. */
async function siteThatHasRead(size: number, stack: AsyncDisposableStack) {
  const directory = await mkdtemp(join(tmpdir(), "quorate-log-routes-"));
  stack.defer(() => rm(directory, { recursive: true }));
  const network = new TestNetwork();
  for (const name of ["ada", "bert", "cyd"]) network.enrol(name);
  const { entries, tree } = network;
  const checkpoint = cosigned({ size: entries.length, root: tree.rootAt(entries.length) }, testWitnesses);
  await writeTiles(directory, entries);
  await writeLogFile(directory, "checkpoint", checkpoint);
  const data = stack.use(await openDataDirectory({ path: join(directory, "site"), service: "site", format: readModelFormat }));
  const model = stack.use(await openReadModel(data));
  const frontier = MerkleFrontier.restore({ size: 0, peaks: [], hasher: portableHasher });
  for (const bytes of entries.slice(0, size)) frontier.append(portableHasher.leaf(bytes));
  model.saveReadTo({ size, peaks: frontier.peaks, checkpoint }, () => {});
  const reader = createLogReader({ url: pathToFileURL(directory).href });
  const state = createSiteState({ model, policy: network.trustPolicy().witnessPolicy, unreachableSince: () => undefined });
  const app = createHttpApp({ logger: silentLogger });
  stack.defer(() => app.close());
  addLogRoutes(app, { model, reader, state, sendPage: createSendPage({ assets: await loadAssets(), state }) });
  return { reader, get: (url: string) => app.inject(url) };
}

it("says that it is still reading the log while it is, and not that the log is down", async () => {
  await using stack = new AsyncDisposableStack();
  const { get, reader } = await siteThatHasRead(2, stack);
  const { statusCode, body } = await get("/log");
  expect(statusCode).toBe(503);
  expect(body).toContain("still reading the log, and has come to 2 entries");
  await reader.checkpoint();
  const { body: read } = await get("/log");
  expect(read).toContain('href="/log/entry/1"');
  expect(read).not.toContain('href="/log/entry/2"');
  expect(read).toContain("The log has 3 entries, and this site is still reading them.");
  expect((await get("/log/entry/1")).body).toContain("the root that 3 entries have");
  expect((await get("/log/entry/2")).statusCode).toBe(404);
});
